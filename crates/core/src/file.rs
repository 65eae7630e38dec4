//! Files and folders that others may have put there: what is no file is not opened, and a folder
//! that cannot be listed does not pass for an empty one.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

/// Bytes of the largest file of a person that is read whole.
pub const LARGEST: u64 = 8 << 30;

/// The bytes of a regular file.
///
/// # Errors
/// What the system says, or [`io::ErrorKind::InvalidData`] for what is no regular file, such as a
/// folder, or a pipe or device that may never end, and for a file of more than `most` bytes.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let data = fs::metadata(path)?;
    if !data.is_file() {
        return Err(invalid("it is no regular file".to_owned()));
    }
    let size = data.len();
    if size > most {
        return Err(invalid(format!(
            "the file has {size} bytes; at most {most} are read"
        )));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    // What a system makes up, such as below `/proc`, has no size before it is read.
    File::open(path)?
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(invalid(format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

/// As [`read`], of text.
///
/// # Errors
/// As [`read`], and [`io::ErrorKind::InvalidData`] for what is no UTF-8.
pub fn text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        invalid(format!("not UTF-8 text: byte {at} is invalid"))
    })
}

/// Whether an error of [`read`] or [`text`] says that there is no such file, or not what should be
/// one. Every other error leaves open what is there.
#[must_use]
pub fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::InvalidData
    )
}

/// Names of the folders in `path`, sorted, links to folders among them, hidden ones not; none where
/// `path` is missing.
///
/// # Errors
/// What the system says, also of a link that leads nowhere, and a name that is no UTF-8.
pub fn folders(path: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let dangles = |part: &&Path| part.is_symlink() && !part.exists();
            return match path.ancestors().find(dangles) {
                None => Ok(Vec::new()),
                Some(link) => Err(leads_nowhere(link, &error)),
            };
        }
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let kind = entry.file_type()?;
        let is_folder = if kind.is_symlink() {
            let data = fs::metadata(entry.path());
            data.map_err(|error| leads_nowhere(&entry.path(), &error))?
                .is_dir()
        } else {
            kind.is_dir()
        };
        if is_folder {
            let wrong = |name| invalid(format!("the name {name:?} is not UTF-8 text"));
            names.push(name.into_string().map_err(wrong)?);
        }
    }
    names.sort();
    Ok(names)
}

fn leads_nowhere(link: &Path, error: &io::Error) -> io::Error {
    let message = format!("the link {} leads nowhere: {error}", link.display());
    io::Error::new(error.kind(), message)
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn only_a_regular_file_of_few_bytes_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "Größe").unwrap();
        assert_eq!(text(&path, 7).unwrap(), "Größe");
        for (path, words) in [
            (path.as_path(), "at most 6"),
            (folder.path(), "no regular file"),
            (Path::new("/dev/zero"), "no regular file"),
            (Path::new("/proc/self/status"), "more than 6"),
        ] {
            let error = read(path, 6).unwrap_err();
            assert!(
                is_damage(&error) && error.to_string().contains(words),
                "{error}"
            );
        }
        fs::write(&path, b"a\xff").unwrap();
        assert!(text(&path, 9).unwrap_err().to_string().contains("byte 1"));
    }

    #[test]
    fn a_folder_is_missing_or_listed_and_nothing_between() {
        let outer = tempfile::tempdir().unwrap();
        let path = |name: &str| outer.path().join(name);
        assert!(folders(&path("none/at/all")).unwrap().is_empty());
        fs::create_dir_all(path("there/b")).unwrap();
        fs::create_dir_all(path("there/.hidden")).unwrap();
        fs::write(path("there/file"), "").unwrap();
        std::os::unix::fs::symlink(path("there/b"), path("there/a")).unwrap();
        assert_eq!(folders(&path("there")).unwrap(), ["a", "b"]);
        std::os::unix::fs::symlink(path("gone"), path("there/c")).unwrap();
        for folder in ["there", "there/c", "there/c/d"] {
            let error = folders(&path(folder)).unwrap_err();
            assert!(error.to_string().contains("leads nowhere"), "{error}");
        }
        assert!(folders(&path("there/file")).is_err());
    }
}
