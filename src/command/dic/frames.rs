//! The deformed pictures of a call, one a page, and what is wrong with them.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::path::{Path, PathBuf};

use retrial_core::image::GrayImage;
use retrial_data::{Channel, picture_pages, read_page};
use retrial_dic::DicError;

use super::file_name;
use super::inputs::{is_saturated, unreadable};
use crate::cli::DicArgs;
use crate::failure::Failure;

/// One deformed picture.
pub(super) struct Frame {
    pub(super) path: PathBuf,
    /// From 0; a stack has several.
    page: usize,
    /// What tables and files call it.
    pub(super) name: String,
}

/// All deformed pictures, in order.
pub(super) struct Frames {
    pub(super) list: Vec<Frame>,
    channel: Channel,
    reference: GrayImage,
    /// Pictures that cannot be measured, and why.
    lost: RefCell<Vec<(usize, String)>>,
    saturated: RefCell<Vec<usize>>,
    alike: Cell<bool>,
}

impl Frames {
    /// Finds the pages of every file; warns of an order or of names that are likely to be mistaken.
    pub(super) fn find(args: &DicArgs, reference: GrayImage) -> Result<Self, Failure> {
        let mut list = Vec::new();
        for path in &args.deformed {
            is_there(path)?;
            // What cannot be read is told when its turn comes.
            let pages = picture_pages(path).unwrap_or(1);
            let twice = args
                .deformed
                .iter()
                .any(|other| other != path && file_name(other) == file_name(path));
            let name = match twice {
                true => path.display().to_string(),
                false => file_name(path),
            };
            list.extend((0..pages).map(|page| Frame {
                path: path.clone(),
                page,
                name: match pages {
                    1 => name.clone(),
                    _ => format!("{name}[{}]", page + 1),
                },
            }));
        }
        let frames = Self {
            list,
            channel: args.channel,
            reference,
            lost: RefCell::default(),
            saturated: RefCell::default(),
            alike: Cell::new(false),
        };
        frames.warn_of_order(&args.reference);
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

    fn warn_of_order(&self, reference: &Path) {
        let full = |path: &Path| std::fs::canonicalize(path).ok();
        let own = full(reference);
        for frame in &self.list {
            if own.is_some() && full(&frame.path) == own {
                eprintln!(
                    "warning: {} is the reference image itself; its displacement is zero",
                    frame.name
                );
            }
        }
        for pair in self.list.windows(2) {
            let [before, after] = [&pair[0], &pair[1]].map(|frame| last_number(&frame.name));
            if let (Some((first, n)), Some((second, m))) = (before, after)
                && first == second
                && m < n
            {
                eprintln!(
                    "warning: {} follows {}: the numbers in the names fall; images are taken in the order given",
                    pair[1].name, pair[0].name
                );
                return;
            }
        }
    }

    /// The picture, or what is wrong with it.
    pub(super) fn read(&self, index: usize) -> Result<GrayImage, String> {
        let Frame { path, page, name } = &self.list[index];
        is_there(path).map_err(|failure| message(&failure))?;
        let image = read_page(path, *page, self.channel)
            .map_err(|error| message(&unreadable(error)))?
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
            return Err(format!("cannot correlate {}: {error}", path.display()));
        }
        if let Some(first) = image.pixels().first()
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
                if image.pixels() == self.reference.pixels() {
                    self.alike.set(true);
                    let name = &self.list[index].name;
                    eprintln!("warning: {name} equals the reference image pixel by pixel");
                }
                if is_saturated(image.pixels()) {
                    self.saturated.borrow_mut().push(index);
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
        self.lost.borrow_mut().push((index, why));
    }

    /// Names of the lost pictures, each with the reason.
    pub(super) fn lost(&self) -> Vec<(String, String)> {
        let lost = self.lost.borrow();
        let named = lost
            .iter()
            .map(|(i, why)| (self.list[*i].name.clone(), why.clone()));
        named.collect()
    }

    /// Says which deformed pictures are saturated.
    pub(super) fn warn_of_saturation(&self) {
        let saturated = self.saturated.borrow();
        let names: Vec<&str> = saturated
            .iter()
            .map(|i| self.list[*i].name.as_str())
            .collect();
        if !names.is_empty() {
            eprintln!(
                "warning: {} of {} deformed images are saturated: {}",
                names.len(),
                self.list.len(),
                names.join(", ")
            );
        }
    }
}

/// The last number of a name, and the name without it.
fn last_number(name: &str) -> Option<(String, u64)> {
    let end = name.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = name[..end]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| {
            at + name[at..].chars().next().map_or(1, char::len_utf8)
        });
    let number = name[start..end].parse().ok()?;
    Some((format!("{}{}", &name[..start], &name[end..]), number))
}

fn message(failure: &Failure) -> String {
    match failure {
        Failure::Usage(text) | Failure::Data(text) | Failure::Storage(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

/// Refuses a file that cannot be opened.
fn is_there(path: &Path) -> Result<(), Failure> {
    let opened = File::open(path).and_then(|file| file.metadata());
    let why = match opened {
        Ok(found) if found.is_dir() => "is a folder".to_owned(),
        Ok(_) => return Ok(()),
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
    use super::last_number;

    #[test]
    fn numbers_are_taken_from_names() {
        let found = last_number("img10.png");
        assert_eq!(found, Some(("img.png".to_owned(), 10)));
        assert_eq!(last_number("é7"), Some(("é".to_owned(), 7)));
        assert_eq!(last_number("plain"), None);
    }
}
