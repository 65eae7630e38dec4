//! The deformed pictures of a call, one a page, and what is wrong with them.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use retrial_core::census::count;
use retrial_data::{Channel, DataError, picture_pages, read_page};
use retrial_dic::{DicError, PointUncertainty, Settings, ShapeOrder, misfit};
use retrial_image::GrayImage;
use retrial_runner::{Failure, eprintln};
use serde::{Deserialize, Serialize};

use super::file_name;
use super::inputs::{ENDS, clipped};
use crate::cli::DicArgs;

/// Points of a picture, one in so many, at which noise alone may look as if the shape function did not follow.
const MISFITS_BY_NOISE: usize = 100;

/// The same of a picture with few points.
const FEWEST_MISFITS: usize = 3;

/// One deformed picture.
pub(super) struct Frame {
    pub(super) path: PathBuf,
    /// From 0; a stack has several.
    page: usize,
    /// What tables and files call it.
    pub(super) name: String,
    /// Why the pages of its file cannot be counted.
    fault: Option<String>,
    /// Whether its file is that of the reference.
    is_reference: bool,
}

/// What was noted of the pictures so far.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Notes {
    /// Pictures that cannot be measured, and why.
    lost: Vec<(usize, String)>,
    /// Pictures with many pixels at the smallest and at the largest of their grey values.
    clipped: [Vec<usize>; 2],
    /// Pictures whose displacement the shape function does not follow, at how many points and by how many px.
    misfits: Vec<(usize, usize, f64)>,
}

/// All deformed pictures, in order.
pub(super) struct Frames {
    pub(super) list: Vec<Frame>,
    channel: Channel,
    reference: GrayImage,
    notes: RefCell<Notes>,
}

impl Frames {
    /// Finds the pages of every file; warns of an order or of names that are likely to be mistaken.
    pub(super) fn find(args: &DicArgs, reference: GrayImage) -> Result<Self, Failure> {
        let mut list = Vec::new();
        let full = |path: &Path| std::fs::canonicalize(path).ok();
        let reference_file = full(&args.reference);
        for path in &args.deformed {
            is_there(path)?;
            let (pages, fault) = match picture_pages(path) {
                Ok(pages) => (pages, None),
                // It is reported when its turn comes.
                Err(error) => (1, Some(error.to_string())),
            };
            let twice = args
                .deformed
                .iter()
                .any(|other| other != path && file_name(other) == file_name(path));
            let name = match twice {
                true => path.display().to_string(),
                false => file_name(path),
            };
            let is_reference = reference_file.is_some() && full(path) == reference_file;
            list.extend((0..pages).map(|page| Frame {
                path: path.clone(),
                page,
                name: match pages {
                    1 => name.clone(),
                    _ => format!("{name}[{}]", page + 1),
                },
                fault: fault.clone(),
                is_reference,
            }));
        }
        let frames = Self {
            list,
            channel: args.channel,
            reference,
            notes: RefCell::default(),
        };
        frames.warn_of_files();
        frames.warn_of_order();
        Ok(frames)
    }

    /// Refuses a call of which no picture can be measured.
    pub(super) fn check_any(&self) -> Result<(), Failure> {
        let mut first = None;
        for index in 0..self.list.len() {
            match self.read(index) {
                Ok(_) => return Ok(()),
                Err(why) => first = first.or(Some(why)),
            }
        }
        Err(Failure::usage(first.unwrap_or_else(|| {
            "no deformed image was given".to_owned()
        })))
    }

    /// Says which files are given twice, under whatever name; once a file, however many pages it has.
    fn warn_of_files(&self) {
        let mut seen = HashMap::new();
        for (frame, number) in self
            .list
            .iter()
            .zip(1..)
            .filter(|(frame, _)| frame.page == 0)
        {
            let name = &frame.name;
            if frame.is_reference {
                eprintln!(
                    "warning: {name} is the reference image itself; its displacement is zero"
                );
                continue;
            }
            let path = std::fs::canonicalize(&frame.path).unwrap_or_else(|_| frame.path.clone());
            let (first, before) = *seen.entry(path).or_insert((number, name));
            if first != number {
                eprintln!(
                    "warning: image {number}, {name}, is the same file as image {first}, {before}"
                );
            }
        }
    }

    fn warn_of_order(&self) {
        for pair in self.list.windows(2) {
            let [before, after] = [&pair[0].name, &pair[1].name];
            if numbers_fall(before, after) {
                eprintln!(
                    "warning: {after} follows {before}: the numbers in the names fall; images are taken in the order given"
                );
                return;
            }
        }
    }

    /// The picture, or what is wrong with it.
    pub(super) fn read(&self, index: usize) -> Result<GrayImage, String> {
        let Frame {
            path,
            page,
            name,
            fault,
            ..
        } = &self.list[index];
        if let Some(fault) = fault {
            return Err(fault.clone());
        }
        is_there(path).map_err(|failure| message(&failure))?;
        let image = read_page(path, *page, self.channel)
            .map_err(|error| match error {
                DataError::Format { what, .. } => format!("{name}: {what}"),
                other => other.to_string(),
            })?
            .image;
        let (width, height) = (self.reference.width(), self.reference.height());
        let (got_width, got_height) = (image.width(), image.height());
        if (got_width, got_height) != (width, height) {
            let error = DicError::ImageSize {
                width,
                height,
                got_width,
                got_height,
            };
            return Err(format!("cannot correlate {name}: {error}"));
        }
        // Alone it is measured all the same: its field says at every point why there is nothing.
        if self.list.len() > 1
            && let Some(first) = image.pixels().first()
            && image.pixels().iter().all(|value| value == first)
        {
            return Err(format!(
                "cannot correlate {name}: every pixel has the grey value {first}"
            ));
        }
        Ok(image)
    }

    /// As [`Self::read`] for a picture whose turn has come: what is wrong is said and kept.
    pub(super) fn take(&self, index: usize) -> Option<GrayImage> {
        match self.read(index) {
            Ok(image) => {
                let Frame {
                    name, is_reference, ..
                } = &self.list[index];
                if !is_reference && image.pixels() == self.reference.pixels() {
                    eprintln!("warning: {name} equals the reference image pixel by pixel");
                }
                let ends = clipped(image.pixels());
                for (noted, end) in self.notes.borrow_mut().clipped.iter_mut().zip(ends) {
                    noted.extend(end.map(|_| index));
                }
                Some(image)
            }
            Err(why) => {
                eprintln!("warning: {why}; it is left out");
                self.lose(index, why);
                None
            }
        }
    }

    /// Notes that a picture was not measured.
    pub(super) fn lose(&self, index: usize, why: String) {
        self.notes.borrow_mut().lost.push((index, why));
    }

    /// What was noted so far.
    pub(super) fn notes(&self) -> Notes {
        self.notes.borrow().clone()
    }

    /// Takes over what an earlier call noted.
    pub(super) fn restore(&self, notes: Notes) {
        self.notes.replace(notes);
    }

    /// Names of the lost pictures, each with the reason.
    pub(super) fn lost(&self) -> Vec<(String, String)> {
        let notes = self.notes.borrow();
        let named = notes
            .lost
            .iter()
            .map(|(i, why)| (self.list[*i].name.clone(), why.clone()));
        named.collect()
    }

    /// Notes where the shape function does not follow the displacement of a picture: more points than noise accounts
    /// for.
    pub(super) fn note_misfit(&self, index: usize, uncertainties: &[Option<PointUncertainty>]) {
        if let Some(misfits) = misfit(uncertainties)
            && misfits.points >= FEWEST_MISFITS.max(uncertainties.len() / MISFITS_BY_NOISE)
        {
            let mut notes = self.notes.borrow_mut();
            notes
                .misfits
                .push((index, misfits.points, misfits.largest_px));
        }
    }

    /// Says where the shape function does not follow the displacement: of the picture where it is worst.
    pub(super) fn warn_of_misfit(&self, settings: &Settings) {
        let notes = self.notes.borrow();
        let worst = notes.misfits.iter().max_by(|a, b| a.2.total_cmp(&b.2));
        let Some((index, points, px)) = worst else {
            return;
        };
        let others = match notes.misfits.len() {
            1 => String::new(),
            n => format!(", the worst of {n} pictures"),
        };
        let advice = match settings.shape_order {
            ShapeOrder::Two => "a smaller --subset",
            ShapeOrder::Zero | ShapeOrder::One => "--order 2 or a smaller --subset",
        };
        eprintln!(
            "warning: {}: order {} of the shape function does not follow the displacement at {}, by {px:.3} px \
             or more{others}; u_std and v_std hold what shows of it; try {advice}",
            self.list[*index].name,
            settings.shape_order.number(),
            count(*points, "point")
        );
    }

    /// Says which deformed pictures are clipped.
    pub(super) fn warn_of_clipping(&self) {
        for (noted, end) in self.notes.borrow().clipped.iter().zip(ENDS) {
            let names: Vec<&str> = noted.iter().map(|i| self.list[*i].name.as_str()).collect();
            if !names.is_empty() {
                eprintln!(
                    "warning: {} of {} {} {}: {}",
                    names.len(),
                    count(self.list.len(), "deformed image"),
                    if names.len() == 1 { "is" } else { "are" },
                    end.word,
                    names.join(", ")
                );
            }
        }
    }
}

/// Whether two names differ in their numbers alone, whatever the case of their letters, and the first number that
/// differs is smaller in the second.
fn numbers_fall(before: &str, after: &str) -> bool {
    let (before, after) = (parts(before), parts(after));
    let mut order = Ordering::Equal;
    let is_same_but_for_numbers = before.len() == after.len()
        && before.iter().zip(&after).all(|pair| match pair {
            (Part::Number(a), Part::Number(b)) => {
                order = order.then((a.len(), a).cmp(&(b.len(), b)));
                true
            }
            (Part::Text(a), Part::Text(b)) => a == b,
            _ => false,
        });
    is_same_but_for_numbers && order == Ordering::Greater
}

/// A part of a name.
#[derive(Debug, PartialEq)]
enum Part {
    /// In small letters.
    Text(String),
    /// Digits without leading zeros.
    Number(String),
}

fn parts(name: &str) -> Vec<Part> {
    let name = name.to_lowercase();
    let signs: Vec<char> = name.chars().collect();
    let runs = signs.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
    let part = |run: &[char]| {
        let text: String = run.iter().collect();
        match run[0].is_ascii_digit() {
            true => Part::Number(text.trim_start_matches('0').to_owned()),
            false => Part::Text(text),
        }
    };
    runs.map(part).collect()
}

fn message(failure: &Failure) -> String {
    match failure {
        Failure::Usage(text) | Failure::Data(text) | Failure::Storage(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

/// Refuses a file that cannot be opened.
pub(super) fn is_there(path: &Path) -> Result<(), Failure> {
    // A pipe is not opened: nobody may ever write to it.
    let found = std::fs::metadata(path);
    let why = match found {
        Ok(found) if found.is_dir() => "it is a folder; name its pictures".to_owned(),
        Ok(found) if !found.is_file() => "it is no regular file".to_owned(),
        Ok(_) => match File::open(path) {
            Ok(_) => return Ok(()),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    };
    let number = path
        .to_str()
        .is_some_and(|text| text.parse::<f64>().is_ok());
    let hint = if number {
        "; the share of --truncate follows an equals sign: --truncate=0.5"
    } else {
        ""
    };
    let path = path.display();
    Err(Failure::usage(format!("cannot read {path}: {why}{hint}")))
}

#[cfg(test)]
mod tests {
    use super::numbers_fall;

    #[test]
    fn names_are_compared_by_all_their_numbers() {
        for (before, after) in [
            ("img10.png", "img2.png"),
            ("a10", "A2"),
            ("img_10_cam0", "img_2_cam0"),
            ("10_x1", "2_x1"),
            ("1.10", "1.2"),
            ("é100000000000000000000", "é99999999999999999999"),
        ] {
            assert!(numbers_fall(before, after), "{before} {after}");
            assert!(!numbers_fall(after, before), "{after} {before}");
        }
        for (before, after) in [
            ("z", "a"),
            ("a2", "b1"),
            ("a007", "a7"),
            ("2026-11-30_9", "2026-12-01_1"),
            ("s1.tif[9]", "s2.tif[1]"),
        ] {
            assert!(!numbers_fall(before, after), "{before} {after}");
        }
    }
}
