//! The files of `retrial dic`, written image by image.

use std::path::{Path, PathBuf};

use retrial_runner::{Failure, eprintln};
use retrial_store::csv::{Column, Table};
use retrial_store::vtk::{Grid, collection, image_data, poly_data};
use retrial_store::{Array, Quantity, StoreError, Tree, Value, Values, atomic_write, npy};

use super::call::Call;
use super::columns::numbers;
use super::frames::{Frame, Frames};
use super::inputs::Inputs;
use super::progress::{FILE, Progress, SavedProgress, Stamp, stamp};
use super::provenance;
use super::summary::Summary;
use crate::cli::{DicArgs, FieldFormat};

/// The version of the layout of `fields` files; raised when a column changes its meaning.
const LAYOUT: i64 = 1;

/// What is drawn: column and, where it is there, the column drawn in its place.
const PICTURES: [&str; 9] = [
    "u", "v", "u_mm", "v_mm", "exx", "eyy", "exy", "u_std", "v_std",
];

/// The columns of words, of which each has a picture.
const CLASSES: [&str; 3] = ["status", "cut", "strain_status"];

/// The files of all images.
const WHOLE: [&str; 4] = ["run.yaml", "summary.csv", "fields.pvd", FILE];

/// Endings of a field.
const ENDINGS: [&str; 5] = [".csv", ".h5", ".npy", ".vti", ".vtp"];

/// The folder and what every file of it says.
pub(super) struct Output {
    folder: PathBuf,
    formats: Vec<FieldFormat>,
    facts: Vec<(&'static str, String)>,
    grid: Option<Grid>,
    /// Names of the files written, in order.
    written: Vec<String>,
    /// Of those that a bookmark knows.
    stamps: Vec<Stamp>,
    /// Names of the VTK files with the number of their image.
    vtk: Vec<(f64, String)>,
    lines: Vec<String>,
    /// What every file of this call begins with.
    stems: Vec<String>,
}

impl Output {
    /// Makes the folder. A run of the same call that was stopped goes on; files of any other run stay unless
    /// `--force` says otherwise.
    pub(super) fn prepare(
        args: &DicArgs,
        inputs: &Inputs,
        strain: Option<(&'static str, String)>,
    ) -> Result<(Self, Option<Progress>), Failure> {
        let settings = inputs.chosen.settings();
        let folder = args.out.clone();
        let facts_file = folder.join("run.yaml");
        let mut facts = provenance::shared(args, settings, inputs.size);
        facts.extend(inputs.chosen.facts());
        facts.extend(strain);
        let list = inputs.frames.list.iter().zip(1..);
        let stems: Vec<String> = list
            .map(|(frame, number)| format!("{number:04}_{}", safe_stem(frame)))
            .collect();
        let is_own =
            |name: &str| WHOLE.contains(&name) || stems.iter().any(|stem| is_of_field(name, stem));
        check_inputs(args, &folder, is_own)?;
        let mut saved = None;
        let mut formats = args.format.clone();
        formats.sort_unstable();
        formats.dedup();
        if facts_file.exists() {
            if !args.force {
                Call::new(&facts, &formats, &stems).check_interrupted(&facts_file)?;
                match SavedProgress::read(&folder, &inputs.frames.list) {
                    Ok(found) => {
                        if let Some(picture) = found.changed_picture(&inputs.frames.list) {
                            return Err(Failure::usage(format!(
                                "{}: {picture} was changed since it was measured; use --force to begin anew",
                                facts_file.display()
                            )));
                        }
                        saved = Some(found);
                    }
                    Err(why) => eprintln!("note: the series begins anew: {why}"),
                }
            }
            let stays = saved.as_ref().map_or(&[][..], |saved| &saved.written);
            remove_earlier(&folder, &facts_file, stays);
        } else if let Some(name) = file_of_another_run(&folder, is_own) {
            return Err(Failure::usage(format!(
                "{} holds {name} of a run without run.yaml; choose another folder, or remove its files",
                folder.display()
            )));
        }
        std::fs::create_dir_all(&folder).map_err(|error| {
            Failure::storage(format!("cannot create {}: {error}", folder.display()))
        })?;
        let grid = match args.points {
            Some(_) => None,
            None => grid(inputs.reference.points(), settings.step_px),
        };
        let mut output = Self {
            folder,
            formats,
            facts,
            grid,
            written: Vec::new(),
            stamps: Vec::new(),
            vtk: Vec::new(),
            lines: Vec::new(),
            stems,
        };
        let progress = saved.map(|saved: SavedProgress| {
            (output.written, output.vtk, output.lines) = (saved.written, saved.vtk, saved.lines);
            saved.progress
        });
        output.keep(&[], false)?;
        Ok((output, progress))
    }

    /// Notes how far the series came.
    pub(super) fn bookmark(&mut self, frames: &Frames, progress: Progress) -> Result<(), Failure> {
        for name in &self.written[self.stamps.len()..] {
            self.stamps.push(stamp(&self.folder.join(name)));
        }
        let (written, stamps) = (self.written.clone(), self.stamps.clone());
        let (vtk, lines) = (self.vtk.clone(), self.lines.clone());
        SavedProgress::new(progress, &frames.list, written, stamps, vtk, lines).write(&self.folder)
    }

    /// Writes the field of one image in every format.
    pub(super) fn write(
        &mut self,
        frames: &Frames,
        index: usize,
        columns: &[Quantity],
    ) -> Result<(), Failure> {
        let stem = self.stems[index].clone();
        let mut facts = self.facts.clone();
        facts.extend(provenance::of_image(&frames.list[index]));
        self.lines = columns.iter().map(Quantity::line).collect();
        let mut head: Vec<String> = facts.iter().map(|(key, v)| format!("{key}: {v}")).collect();
        head.extend(self.lines.iter().cloned());
        for format in self.formats.clone() {
            match format {
                FieldFormat::Csv => {
                    let name = format!("{stem}.csv");
                    csv(columns, &head)?.write(self.folder.join(&name))?;
                    self.written.push(name);
                }
                FieldFormat::Hdf5 => {
                    let name = format!("{stem}.h5");
                    retrial_store::write(self.folder.join(&name), &tree(columns, &facts)?)?;
                    self.written.push(name);
                }
                FieldFormat::Npy => {
                    self.write_file(format!("{stem}.npy"), &npy::structured(columns)?)?;
                }
                FieldFormat::Vtk => {
                    let (end, text) = self.vtk_text(&head, columns)?;
                    let name = format!("{stem}.{end}");
                    self.vtk.push(((index + 1) as f64, name.clone()));
                    self.write_file(name, text.as_bytes())?;
                }
                FieldFormat::Png => self.draw(&stem, columns)?,
            }
        }
        Ok(())
    }

    /// Writes what is known only at the end.
    pub(super) fn finish(
        mut self,
        summary: &Summary,
        lost: &[(String, String)],
        is_whole: bool,
    ) -> Result<(), Failure> {
        let head: Vec<String> = self
            .facts
            .iter()
            .map(|(key, v)| format!("{key}: {v}"))
            .collect();
        if !self.vtk.is_empty() {
            let text = collection(&head, &self.vtk);
            self.write_file("fields.pvd".to_owned(), text.as_bytes())?;
        }
        let table = summary.table()?.with_head(&head);
        table.write(self.folder.join("summary.csv"))?;
        self.written.push("summary.csv".to_owned());
        self.keep(lost, is_whole)?;
        if is_whole {
            // It may never have been written.
            drop(std::fs::remove_file(self.folder.join(FILE)));
        }
        Ok(())
    }

    /// Writes `run.yaml`: at the beginning too, so that no other run takes the folder for empty.
    fn keep(&self, lost: &[(String, String)], is_whole: bool) -> Result<(), Failure> {
        let call = Call::new(&self.facts, &self.formats, &self.stems);
        let run = serde_json::json!({
            "layout": LAYOUT,
            "provenance": call.facts,
            "formats": call.formats,
            "columns": self.lines,
            "files": self.written,
            "finished": is_whole,
            "begins": call.stems,
            "lost": lost
                .iter()
                .map(|(image, why)| serde_json::json!({ "image": image, "why": why }))
                .collect::<Vec<_>>(),
        });
        let text = serde_yaml::to_string(&run)
            .map_err(|error| Failure::storage(format!("no YAML: {error}")))?;
        atomic_write(self.folder.join("run.yaml"), text.as_bytes())?;
        Ok(())
    }

    fn write_file(&mut self, name: String, bytes: &[u8]) -> Result<(), Failure> {
        atomic_write(self.folder.join(&name), bytes)?;
        self.written.push(name);
        Ok(())
    }

    fn vtk_text(
        &self,
        head: &[String],
        columns: &[Quantity],
    ) -> Result<(&'static str, String), StoreError> {
        let vector = ["u", "v"];
        match &self.grid {
            Some(grid) => Ok(("vti", image_data(grid, head, columns, vector)?)),
            None => {
                let (x, y) = places(columns);
                let points: Vec<[f64; 2]> = x.into_iter().zip(y).map(|(x, y)| [x, y]).collect();
                Ok(("vtp", poly_data(&points, head, columns, vector)?))
            }
        }
    }

    /// A picture each of what is there to draw; chosen points have no pictures.
    fn draw(&mut self, stem: &str, columns: &[Quantity]) -> Result<(), Failure> {
        if self.grid.is_none() {
            return Ok(());
        }
        let (x, y) = places(columns);
        for name in PICTURES {
            let found = columns.iter().find(|column| column.name == name);
            let Some((values, column)) = numbers(columns, name).zip(found) else {
                continue;
            };
            if let Some(png) = retrial_report::field_png(&x, &y, values, name, column.unit) {
                self.write_file(format!("{stem}_{name}.png"), &png)?;
            }
        }
        for name in CLASSES {
            let column = columns.iter().find(|column| column.name == name);
            if let Some(column) = column
                && let Values::Code(codes, words) = &column.values
            {
                let classes: Vec<usize> = codes.iter().map(|code| usize::from(*code)).collect();
                if let Some(png) = retrial_report::classes_png(&x, &y, &classes, name, words) {
                    self.write_file(format!("{stem}_{name}.png"), &png)?;
                }
            }
        }
        Ok(())
    }
}

/// Refuses a run that would write over what it reads.
fn check_inputs(
    args: &DicArgs,
    folder: &Path,
    is_own: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    let Ok(folder) = folder.canonicalize() else {
        return Ok(());
    };
    let others = [&args.mask, &args.points, &args.calibration];
    let inputs = args.deformed.iter().chain(others.into_iter().flatten());
    for input in inputs.chain([&args.reference]) {
        let path = input.canonicalize().unwrap_or_else(|_| input.clone());
        let name = path.file_name().and_then(|name| name.to_str());
        if path.parent() == Some(&*folder) && name.is_some_and(&is_own) {
            return Err(Failure::usage(format!(
                "{} is read, and a file of that name is written to {}; choose another --out",
                input.display(),
                folder.display()
            )));
        }
    }
    Ok(())
}

/// The name of a field that no `run.yaml` speaks of, or of a file that this run would write over.
fn file_of_another_run(folder: &Path, is_own: impl Fn(&str) -> bool) -> Option<String> {
    let entries = std::fs::read_dir(folder).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut fields: Vec<String> = names
        .filter(|name| {
            let (number, rest) = name.split_once('_').unwrap_or(("", ""));
            let is_number = number.len() >= 4 && number.bytes().all(|b| b.is_ascii_digit());
            is_own(name) || is_number && ENDINGS.iter().any(|end| rest.ends_with(end))
        })
        .collect();
    fields.sort_unstable();
    fields.into_iter().next()
}

/// Removes the files that an earlier run says it wrote, but for those that stay.
fn remove_earlier(folder: &Path, facts_file: &Path, stays: &[String]) {
    let text = std::fs::read_to_string(facts_file).unwrap_or_default();
    let run: serde_json::Value = serde_yaml::from_str(&text).unwrap_or_default();
    let files = run["files"].as_array().cloned().unwrap_or_default();
    for name in files.iter().filter_map(serde_json::Value::as_str) {
        // Only names, no paths: a file made by hand removes nothing elsewhere.
        let is_name = Path::new(name).file_name().is_some_and(|own| own == name);
        if is_name && !stays.iter().any(|kept| kept == name) {
            // What cannot be removed is written over, or stays.
            drop(std::fs::remove_file(folder.join(name)));
        }
    }
    // A run that was killed wrote fields that its list does not name, and may have left half of one.
    let begins = run["begins"].as_array().cloned().unwrap_or_default();
    let begins: Vec<&str> = begins
        .iter()
        .filter_map(serde_json::Value::as_str)
        .collect();
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    for name in entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
        let half = name
            .strip_prefix('.')
            .and_then(|name| name.strip_suffix(".tmp"));
        let bare = half.and_then(|half| half.rsplit_once('.'));
        let bare = bare.map_or(&*name, |(bare, _)| bare);
        let is_own = begins.iter().any(|begin| is_of_field(bare, begin));
        let is_left = is_own && !stays.contains(&name);
        if is_left || (stays.is_empty() && name == FILE) {
            drop(std::fs::remove_file(folder.join(&name)));
        }
    }
}

/// Whether a file of that name is written of the image whose files begin so.
fn is_of_field(name: &str, begin: &str) -> bool {
    name.strip_prefix(begin).is_some_and(|rest| {
        let drawn = rest
            .strip_prefix('_')
            .and_then(|rest| rest.strip_suffix(".png"));
        let is_drawn = |column| PICTURES.contains(&column) || CLASSES.contains(&column);
        ENDINGS.contains(&rest) || drawn.is_some_and(is_drawn)
    })
}

/// The file name without its ending, with letters that every system takes.
fn safe_stem(frame: &Frame) -> String {
    let stem = frame.path.file_stem().unwrap_or_default().to_string_lossy();
    let page = frame.name.rfind('[').filter(|_| frame.name.ends_with(']'));
    let page = page.map_or("", |at| &frame.name[at..]);
    let stem = format!("{stem}{}", page.replace(['[', ']'], "-"))
        .trim_end_matches('-')
        .to_owned();
    stem.chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => c,
            _ => '_',
        })
        .collect()
}

/// The regular grid of the points.
fn grid(points: &[(usize, usize)], step: usize) -> Option<Grid> {
    let range = |of: fn(&(usize, usize)) -> usize| {
        let values = || points.iter().map(of);
        values().min().zip(values().max())
    };
    let ((left, right), (top, bottom)) = (range(|p| p.0)?, range(|p| p.1)?);
    let size = [(right - left) / step + 1, (bottom - top) / step + 1];
    let mut cells = vec![None; size[0] * size[1]];
    for (i, (x, y)) in points.iter().enumerate() {
        if (x - left) % step != 0 || (y - top) % step != 0 {
            return None;
        }
        cells[(y - top) / step * size[0] + (x - left) / step] = Some(i);
    }
    Some(Grid {
        size,
        origin: [left as f64, top as f64],
        spacing: [step as f64; 2],
        cells,
    })
}

/// The columns `x` and `y`.
fn places(columns: &[Quantity]) -> (Vec<f64>, Vec<f64>) {
    let place = |name: &str| {
        let found = columns.iter().find(|column| column.name == name);
        match found.map(|column| &column.values) {
            Some(Values::I64(values)) => values.iter().map(|v| *v as f64).collect(),
            _ => Vec::new(),
        }
    };
    (place("x"), place("y"))
}

fn csv(columns: &[Quantity], head: &[String]) -> Result<Table, StoreError> {
    let mut table = Table::new().with_head(head);
    for column in columns {
        let cells: Column = match &column.values {
            Values::F64(values) => values.clone().into(),
            Values::I64(values) => values.clone().into(),
            Values::Code(codes, words) => codes
                .iter()
                .map(|code| {
                    words
                        .get(usize::from(*code))
                        .copied()
                        .unwrap_or("")
                        .to_owned()
                })
                .collect::<Vec<String>>()
                .into(),
        };
        table = table.with(column.name, cells)?;
    }
    Ok(table)
}

/// One list a column, with its unit and meaning as attributes; provenance on the root.
fn tree(columns: &[Quantity], facts: &[(&'static str, String)]) -> Result<Tree, StoreError> {
    let mut tree = Tree::new();
    tree.set_attribute("", "layout", LAYOUT)?;
    for (key, value) in facts {
        tree.set_attribute("", key, value.as_str())?;
    }
    for column in columns {
        let text = |text: &str| Value::Text(text.to_owned());
        let (array, words) = match &column.values {
            Values::F64(values) => (Array::list(values.clone())?, None),
            Values::I64(values) => (Array::list(values.clone())?, None),
            Values::Code(codes, words) => (Array::list(codes.clone())?, Some(words.join(" "))),
        };
        let mut array = array
            .with_attribute("unit", text(column.unit))?
            .with_attribute("meaning", text(column.meaning))?;
        if let Some(words) = words {
            array = array.with_attribute("codes", words)?;
        }
        tree.insert(column.name, array)?;
    }
    Ok(tree)
}
