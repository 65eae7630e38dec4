//! Reports as files: rendered into memory first, then compared or written.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use retrial_core::claim::{Origin, Verdict};
use retrial_core::file;

use crate::error::ReportError;
use crate::load::Experiment;
use crate::page::{self, MARK};
use crate::parallel;
use crate::view::{StudyView, counts, studies};

/// Most pictures that are drawn at once: each takes some 100 MB.
const PICTURES: usize = 4;
/// Largest page that is looked at, in bytes.
const MAX_PAGE: u64 = 64 * 1024 * 1024;

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
    /// Pages that were left as they were, with their figures and tables.
    pub kept: Vec<KeptPage>,
}

/// A page that shows trials of experiments of which no record is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPage {
    /// The page.
    pub path: PathBuf,
    /// Those experiments.
    pub experiments: Vec<String>,
    study: String,
}

impl KeptPage {
    /// Whether a path in the folder of the report is the page, or a figure or table of its study.
    fn owns(&self, path: &Path) -> bool {
        let study = &self.study;
        let is_part = |name: &str| name.starts_with(&format!("{study}-"));
        path == Path::new(&format!("{study}.md"))
            || (path.components().count() > 1
                && path
                    .file_name()
                    .is_some_and(|name| is_part(&name.to_string_lossy())))
    }
}

/// All files of a report by their path in the report's folder.
struct Rendered {
    files: BTreeMap<PathBuf, Vec<u8>>,
    figures: usize,
    tables: usize,
    faults: Vec<String>,
}

/// Writes the report on all experiments to `out`; each file is replaced atomically.
///
/// Files of figures and tables that no experiment has any more are removed, and the pages of studies
/// without an experiment. What [`kept`] names stays.
///
/// # Errors
/// A file that cannot be read or written. Figures and tables that cannot be made are no error: they are
/// named in their place and in [`ReportSummary::faults`].
pub fn render(experiments: &[Experiment], out: &Path) -> Result<ReportSummary, ReportError> {
    let studies = studies(experiments);
    let rendered = files(&studies);
    let kept = kept(experiments, out)?;
    let is_kept = |path: &Path| kept.iter().any(|page| page.owns(path));
    let (mut written, mut fresh) = (0, 0);
    for (path, bytes) in &rendered.files {
        if is_kept(path) {
            continue;
        }
        let path = out.join(path);
        if is_same(&path, bytes) {
            fresh += 1;
        } else {
            write(&path, bytes)?;
            written += 1;
        }
    }
    for path in leftovers(&studies, &rendered.files, out)? {
        if !is_kept(path.strip_prefix(out).unwrap_or(&path)) {
            fs::remove_file(&path).map_err(ReportError::io("remove", &path))?;
        }
    }
    Ok(ReportSummary {
        index: out.join("index.html"),
        written,
        fresh,
        figures: rendered.figures,
        tables: rendered.tables,
        verdicts: counts(studies.iter().flat_map(StudyView::claims)),
        faults: rendered.faults,
        kept,
    })
}

/// The pages in `out` that show trials of experiments of which no record is left: their records
/// were lost, or removed on purpose, and nobody but a person knows which.
///
/// # Errors
/// A folder that cannot be listed.
pub fn kept(experiments: &[Experiment], out: &Path) -> Result<Vec<KeptPage>, ReportError> {
    let mut kept = Vec::new();
    for (path, study, text) in pages(out)? {
        let is_left = |shown: &&str| {
            experiments.iter().any(|experiment| {
                let sheet = &experiment.sheet;
                sheet.study == study
                    && page::heading(&sheet.experiment) == **shown
                    && experiment.has_records()
            })
        };
        let mut gone = page::shown(&text);
        gone.retain(|shown| !is_left(shown));
        if !gone.is_empty() {
            kept.push(KeptPage {
                path,
                experiments: gone.into_iter().map(str::to_owned).collect(),
                study,
            });
        }
    }
    Ok(kept)
}

/// Files in `out` that are not what the records give, byte by byte: missing, different or left over.
///
/// # Errors
/// A folder that cannot be listed.
pub fn check(experiments: &[Experiment], out: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let studies = studies(experiments);
    let rendered = files(&studies);
    let mut stale: Vec<PathBuf> = (rendered.files.iter())
        .filter(|(path, bytes)| !is_same(&out.join(path), bytes))
        .map(|(path, _)| out.join(path))
        .collect();
    stale.extend(leftovers(&studies, &rendered.files, out)?);
    Ok(stale)
}

/// Whether a file has these bytes; a link to such a file has none of its own.
fn is_same(path: &Path, bytes: &[u8]) -> bool {
    !path.is_symlink() && file::read(path, bytes.len() as u64).is_ok_and(|old| old == bytes)
}

fn files(studies: &[StudyView<'_>]) -> Rendered {
    let mut files: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
    let (mut drawings, mut tables) = (Vec::new(), 0);
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
                let mut add_file = |extension: &str, bytes: Vec<u8>| {
                    files.insert(
                        Path::new("tables").join(format!("{stem}.{extension}")),
                        bytes,
                    );
                };
                add_file("md", table.markdown().into_bytes());
                add_file("csv", table.csv());
                add_file("tex", table.latex(&stem).into_bytes());
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
                let path = |end| Path::new("figures").join(format!("{}.{end}", figure.stem));
                let svg = drawing.svg(&figure.stem, &figure.title);
                files.insert(path("svg"), svg.into_bytes());
                drawings.push((path("png"), drawing));
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
    let figures = drawings.len();
    let pictures = parallel::each(&drawings, PICTURES, |(_, drawing)| drawing.png());
    files.extend(drawings.into_iter().map(|(path, _)| path).zip(pictures));
    Rendered {
        files,
        figures,
        tables,
        faults,
    }
}

/// Files of a report in `out` that are not part of this one: pages of studies that are gone, and
/// figures and tables of theirs and of these studies.
fn leftovers(
    studies: &[StudyView<'_>],
    files: &BTreeMap<PathBuf, Vec<u8>>,
    out: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    let mut owners: Vec<String> = studies.iter().map(|s| s.study.to_owned()).collect();
    let mut found = Vec::new();
    for (page, study, _) in pages(out)? {
        if !files.contains_key(page.strip_prefix(out).unwrap_or(&page)) {
            owners.push(study);
            found.push(page);
        }
    }
    for folder in ["figures", "tables"] {
        for name in names(&out.join(folder))? {
            let is_ours = |study: &String| name.starts_with(&format!("{study}-"));
            let path = Path::new(folder).join(&name);
            if owners.iter().any(is_ours) && !files.contains_key(&path) {
                found.push(out.join(path));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Every page of a study in `out` that this program wrote: path, study, text.
fn pages(out: &Path) -> Result<Vec<(PathBuf, String, String)>, ReportError> {
    let mut pages = Vec::new();
    for name in names(out)? {
        let path = out.join(&name);
        if let Some(study) = name.strip_suffix(".md")
            && let Ok(text) = file::text(&path, MAX_PAGE)
            && text.contains(MARK)
        {
            pages.push((path, study.to_owned(), text));
        }
    }
    Ok(pages)
}

/// Names in a folder; none where it is missing.
fn names(folder: &Path) -> Result<Vec<String>, ReportError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(ReportError::io("list", folder))?;
    let name = |entry: std::io::Result<fs::DirEntry>| {
        let name = entry.map(|entry| entry.file_name().to_string_lossy().into_owned());
        name.map_err(ReportError::io("list", folder))
    };
    entries.map(name).collect()
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
