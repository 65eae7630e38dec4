//! The `files` of a variant: a list, or the name of a tab-separated table beside the manifest.

use std::collections::HashSet;
use std::path::Path;

use retrial_core::census::count;
use retrial_core::fault::{Faults, Place};
use retrial_core::keys::At;

use super::keys::{FileKeys, Files, check_sha256};
use super::model::FileEntry;

/// Largest file a manifest may name: 64 GiB, beyond which a slip of the pen is likelier.
const MAX_BYTES: u64 = 64 << 30;
/// The columns of a table of files.
const COLUMNS: [&str; 5] = ["path", "bytes", "sha256", "origin", "role"];

/// The files that a variant states.
pub(super) fn read_files(
    stated: At<Files>,
    folder: &Path,
    faults: &mut Faults,
) -> Option<Vec<FileEntry>> {
    let At { value, place, path } = stated;
    let files = match value {
        Files::Table(name) => read_table(&place, &path, &name, folder, faults)?,
        Files::List(items) => {
            // Every item is read before one that is faulty spoils the list.
            let files = items.into_iter().map(|keys| entry(keys, faults));
            let files: Vec<Option<FileEntry>> = files.collect();
            files.into_iter().collect::<Option<Vec<FileEntry>>>()?
        }
    };
    let mut seen = HashSet::new();
    for file in &files {
        // Case is folded because two such files are one on some systems.
        if !seen.insert(file.path.to_lowercase()) {
            let message = format!("two files with the path {:?}", file.path);
            faults.add(&place, &path, message);
        }
    }
    Some(files)
}

fn entry(keys: FileKeys, faults: &mut Faults) -> Option<FileEntry> {
    let path = keys.path;
    let path = path.and_then(|own| check_path(&own.value, &own.place, &own.path, faults));
    let bytes = keys.bytes;
    let bytes = bytes.and_then(|own| check_bytes(own.value, &own.place, &own.path, faults));
    let origin = keys.origin;
    let origin = origin.and_then(|own| check_origin(&own.value, &own.place, &own.path, faults));
    let path = path?;
    Some(FileEntry {
        origin: origin.unwrap_or_else(|| path.clone()),
        path,
        bytes: bytes?,
        sha256: keys.sha256?.0,
        role: keys.role.unwrap_or_default(),
    })
}

/// A relative path that cannot leave its folder.
fn check_path(path: &str, place: &Place, key: &str, faults: &mut Faults) -> Option<String> {
    if safe_path(path) {
        return Some(path.to_owned());
    }
    let message = format!("{path:?} is no path inside the data set");
    let help = "use a relative path with `/`, without `..`, hidden parts or `\\ : * ? \" < > |`";
    faults.add_with_help(place, key, message, help);
    None
}

/// A path at the source. Names there may hold any character, but a copy of this machine is looked
/// for by it, too, so it must not leave its folder.
fn check_origin(origin: &str, place: &Place, key: &str, faults: &mut Faults) -> Option<String> {
    let leaves = origin.starts_with('/')
        || origin.contains(['\\', '\0'])
        || origin.split('/').any(|part| part == ".." || part == ".");
    if !leaves {
        return Some(origin.to_owned());
    }
    let message = format!("{origin:?} leaves the folder of its source");
    faults.add_with_help(
        place,
        key,
        message,
        "use a relative path without `..` and `\\`",
    );
    None
}

fn check_bytes(bytes: u64, place: &Place, key: &str, faults: &mut Faults) -> Option<u64> {
    if (1..=MAX_BYTES).contains(&bytes) {
        return Some(bytes);
    }
    faults.add(
        place,
        key,
        format!("{bytes} bytes, expected 1 to {MAX_BYTES}"),
    );
    None
}

fn read_table(
    place: &Place,
    key: &str,
    name: &str,
    folder: &Path,
    faults: &mut Faults,
) -> Option<Vec<FileEntry>> {
    let name = check_path(name, place, key, faults)?;
    let path = folder.join(&name);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("cannot read the table {}: {error}", path.display());
            faults.add(place, key, message);
            return None;
        }
    };
    let file = path.display().to_string();
    Some(table(&file, &text, faults))
}

fn table(file: &str, text: &str, faults: &mut Faults) -> Vec<FileEntry> {
    let file: std::sync::Arc<str> = file.into();
    let place = |line: usize, column: usize| Place {
        file: file.clone(),
        line,
        column,
    };
    let mut lines = text.lines().enumerate();
    let header = lines.next().map_or("", |(_, line)| line);
    if header.split('\t').ne(COLUMNS) {
        let help = format!(
            "the first line must be `{}`, separated by tabs",
            COLUMNS.join(" ")
        );
        faults.add_with_help(
            &place(1, 1),
            "",
            format!("found the header {header:?}"),
            help,
        );
        return Vec::new();
    }
    let mut files = Vec::new();
    for (i, line) in lines {
        let fields: Vec<&str> = line.split('\t').collect();
        let [path, bytes, sha256, origin, role] = fields[..] else {
            let message = format!(
                "{}, expected {}",
                count(fields.len(), "field"),
                COLUMNS.len()
            );
            faults.add(&place(i + 1, 1), "", message);
            continue;
        };
        let column = |field: usize| {
            1 + fields[..field]
                .iter()
                .map(|f| f.chars().count() + 1)
                .sum::<usize>()
        };
        let path = check_path(path, &place(i + 1, 1), "path", faults);
        let number = bytes.parse().ok().or_else(|| {
            let message = format!("{bytes:?} is no whole number");
            faults.add(&place(i + 1, column(1)), "bytes", message);
            None
        });
        let bytes = number.and_then(|n| check_bytes(n, &place(i + 1, column(1)), "bytes", faults));
        let sha256 = check_sha256(sha256, &place(i + 1, column(2)), "sha256", faults);
        let origin = match origin {
            "" => path.clone(),
            origin => check_origin(origin, &place(i + 1, column(3)), "origin", faults),
        };
        if let (Some(path), Some(bytes), Some(sha256), Some(origin)) = (path, bytes, sha256, origin)
        {
            files.push(FileEntry {
                origin,
                path,
                bytes,
                sha256,
                role: role.to_owned(),
            });
        }
    }
    files
}

/// Whether a path stays inside the folder it is joined to on every system.
pub(super) fn safe_path(path: &str) -> bool {
    let plain =
        |c: char| !c.is_control() && !matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    !path.is_empty()
        && path.len() <= 240
        && path.chars().all(plain)
        && path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != ".." && !part.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_names_line_and_column_of_every_fault() {
        let hash = "0".repeat(64);
        let text = format!(
            "path\tbytes\tsha256\torigin\trole\n\
             a.png\t5\t{hash}\t\tpicture\n\
             ../b.png\tfive\t{hash}\tB (1).png\tpicture\n\
             c.png\t5\tabc\t\t\n\
             d.png\n"
        );
        let mut faults = Faults::default();
        let files = table("t.tsv", &text, &mut faults);
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].origin, "a.png");
        let faults = faults.into_result(Some(())).expect_err("four faults");
        let places: Vec<(usize, usize, &str)> = faults
            .iter()
            .map(|f| (f.place.line, f.place.column, f.key.as_str()))
            .collect();
        assert_eq!(
            places,
            [
                (3, 1, "path"),
                (3, 10, "bytes"),
                (4, 9, "sha256"),
                (5, 1, "")
            ]
        );
    }
}
