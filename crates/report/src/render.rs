//! Reports as files: rendered into memory first, then compared or written.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use retrial_core::claim::{Origin, Verdict};

use crate::error::ReportError;
use crate::load::Experiment;
use crate::page;
use crate::view::{StudyView, counts, studies};

/// What was rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportSummary {
    /// The page to open.
    pub index: PathBuf,
    /// Files that were written because they were new or had changed.
    pub written: usize,
    /// Files that were fresh already.
    pub fresh: usize,
    /// Number of figures and tables.
    pub figures: usize,
    /// Number of tables.
    pub tables: usize,
    /// How many claims of each origin have each verdict, where there are any.
    pub verdicts: Vec<(Origin, Verdict, usize)>,
    /// Figures and tables that could not be made, and damaged records.
    pub faults: Vec<String>,
}

/// All files of a report by their path in the report's folder.
struct Rendered {
    files: BTreeMap<PathBuf, Vec<u8>>,
    figures: usize,
    tables: usize,
    faults: Vec<String>,
}

/// Which files are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pictures {
    /// Text and pictures.
    With,
    /// Text alone: enough to tell whether a report is fresh.
    Without,
}

/// Writes the report on all experiments to `out`; each file is replaced atomically.
///
/// Files of figures and tables that no experiment has any more are removed.
///
/// # Errors
/// A file that cannot be written. Figures and tables that cannot be made are no error: they are
/// named in their place and in [`ReportSummary::faults`].
pub fn render(experiments: &[Experiment], out: &Path) -> Result<ReportSummary, ReportError> {
    let studies = studies(experiments);
    let rendered = files(&studies, Pictures::With);
    let (mut written, mut fresh) = (0, 0);
    for (path, bytes) in &rendered.files {
        let path = out.join(path);
        if fs::read(&path).is_ok_and(|old| old == *bytes) {
            fresh += 1;
        } else {
            write(&path, bytes)?;
            written += 1;
        }
    }
    for path in leftovers(&studies, &rendered.files, out)? {
        fs::remove_file(&path).map_err(ReportError::io("remove", &path))?;
    }
    Ok(ReportSummary {
        index: out.join("index.html"),
        written,
        fresh,
        figures: rendered.figures,
        tables: rendered.tables,
        verdicts: counts(studies.iter().flat_map(StudyView::claims)),
        faults: rendered.faults,
    })
}

/// Files in `out` that are not what the records give: missing, different or left over.
///
/// Only text is compared, so that a check takes no time for drawing pixels.
///
/// # Errors
/// A folder that cannot be listed.
pub fn check(experiments: &[Experiment], out: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let studies = studies(experiments);
    let rendered = files(&studies, Pictures::Without);
    let mut stale: Vec<PathBuf> = (rendered.files.iter())
        .filter(
            |(path, bytes)| match path.extension().is_some_and(|e| e == "png") {
                true => !out.join(path).is_file(),
                false => fs::read(out.join(path)).ok().as_ref() != Some(bytes),
            },
        )
        .map(|(path, _)| out.join(path))
        .collect();
    stale.extend(leftovers(&studies, &rendered.files, out)?);
    Ok(stale)
}

fn files(studies: &[StudyView<'_>], pictures: Pictures) -> Rendered {
    let mut files: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
    let (mut figures, mut tables) = (0, 0);
    let mut faults = Vec::new();
    for study in studies {
        let page = page::study(study);
        files.insert(
            PathBuf::from(format!("{}.md", study.study)),
            page.into_bytes(),
        );
        for experiment in &study.experiments {
            let sheet = experiment.sheet;
            for table in &experiment.tables {
                let table = match table {
                    Ok(table) => table,
                    Err(fault) => {
                        faults.push(fault.clone());
                        continue;
                    }
                };
                let stem = format!("{}-{}-{}", sheet.study, sheet.experiment, table.slug);
                let mut put = |extension: &str, bytes: Vec<u8>| {
                    files.insert(
                        Path::new("tables").join(format!("{stem}.{extension}")),
                        bytes,
                    );
                };
                put("md", table.markdown().into_bytes());
                put("csv", table.csv());
                put("tex", table.latex(&stem).into_bytes());
                tables += 1;
            }
            for figure in &experiment.figures {
                let drawing = match &figure.drawing {
                    Ok(drawing) => drawing,
                    Err(fault) => {
                        faults.push(fault.clone());
                        continue;
                    }
                };
                let mut put = |extension: &str, bytes: Vec<u8>| {
                    let name = format!("{}.{extension}", figure.stem);
                    files.insert(Path::new("figures").join(name), bytes);
                };
                put("svg", drawing.svg(&figure.stem, &figure.title).into_bytes());
                put(
                    "png",
                    match pictures {
                        Pictures::With => drawing.png(),
                        Pictures::Without => Vec::new(),
                    },
                );
                figures += 1;
            }
            let damaged = experiment
                .troubles
                .iter()
                .filter(|t| t.how.starts_with("damaged"));
            faults.extend(damaged.map(|t| format!("{}: {}", t.what, t.text)));
        }
    }
    files.insert(
        PathBuf::from("index.html"),
        page::index(studies).into_bytes(),
    );
    Rendered {
        files,
        figures,
        tables,
        faults,
    }
}

/// Figures and tables of these studies in `out` that are not part of the report.
fn leftovers(
    studies: &[StudyView<'_>],
    files: &BTreeMap<PathBuf, Vec<u8>>,
    out: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    let mut found = Vec::new();
    for folder in ["figures", "tables"] {
        let path = out.join(folder);
        if !path.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&path).map_err(ReportError::io("list", &path))? {
            let entry = entry.map_err(ReportError::io("list", &path))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let ours = studies
                .iter()
                .any(|s| name.starts_with(&format!("{}-", s.study)));
            if ours && !files.contains_key(&Path::new(folder).join(&name)) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(ReportError::io("create", folder))?;
    let mut file =
        tempfile::NamedTempFile::new_in(folder).map_err(ReportError::io("create in", folder))?;
    file.write_all(bytes)
        .map_err(ReportError::io("write", path))?;
    // Temporary files are private to their owner, a report is to be read by all.
    set_readable(file.path())?;
    file.persist(path)
        .map_err(|error| ReportError::io("write", path)(error.error))?;
    Ok(())
}

#[cfg(unix)]
fn set_readable(path: &Path) -> Result<(), ReportError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::Permissions::from_mode(0o644);
    fs::set_permissions(path, mode).map_err(ReportError::io("write", path))
}

#[cfg(not(unix))]
fn set_readable(_: &Path) -> Result<(), ReportError> {
    Ok(())
}
