//! The last two checkpoints of a trial, one of which always loads.
//!
//! A checkpoint is a closed file of its own: an HDF5 file that is open when its process is killed
//! is often unreadable, so none is kept open from one round to the next.

use std::path::{Path, PathBuf};

use crate::atomic::{TEMPORARY_SUFFIX, sync_folder};
use crate::error::{StoreError, io};
use crate::file::{Packing, read, write_packed};
use crate::tree::Tree;

const PREFIX: &str = "checkpoint-";
const SUFFIX: &str = ".h5";

/// The newest checkpoint that can be read.
#[derive(Debug)]
pub struct Loaded {
    /// The round after which it was saved.
    pub round: u64,
    /// What was saved.
    pub tree: Tree,
}

/// Saves `tree` as the checkpoint after `round` and returns its path.
///
/// Of the others, only the newest before `round` is kept: a later one is of a run that went back.
/// What a killed writer left of its temporary file is removed. One process at a time may write to
/// `folder`.
///
/// # Errors
/// As [`write`](crate::write); the older checkpoints are then untouched.
pub fn save_checkpoint(
    folder: impl AsRef<Path>,
    round: u64,
    tree: &Tree,
) -> Result<PathBuf, StoreError> {
    let folder = folder.as_ref();
    let path = folder.join(format!("{PREFIX}{round:08}{SUFFIX}"));
    write_packed(&path, tree, Packing::Plain)?;
    let Listing { rounds, leftovers } = list(folder)?;
    let before = rounds
        .iter()
        .map(|(round, _)| *round)
        .filter(|&r| r < round);
    let kept = before.max();
    let stale = rounds
        .into_iter()
        .filter(|(other, _)| *other != round && Some(*other) != kept)
        .map(|(_, path)| path);
    for path in stale.chain(leftovers) {
        std::fs::remove_file(&path).map_err(io("remove", &path))?;
    }
    sync_folder(folder)?;
    Ok(path)
}

/// The newest checkpoint in `folder` that can be read and that `accept` takes, if there is one, and
/// what is wrong with each newer one. A folder that does not exist has no checkpoint.
///
/// `accept` says why it refuses one: most often because it belongs to something else.
///
/// # Errors
/// [`StoreError::Io`] when the folder cannot be listed.
pub fn load_latest(
    folder: impl AsRef<Path>,
    accept: impl Fn(&Tree) -> Result<(), String>,
) -> Result<(Option<Loaded>, Vec<StoreError>), StoreError> {
    let folder = folder.as_ref();
    let mut damaged = Vec::new();
    if !folder.exists() {
        return Ok((None, damaged));
    }
    let mut rounds = list(folder)?.rounds;
    rounds.sort_by_key(|(round, _)| std::cmp::Reverse(*round));
    for (round, path) in rounds {
        match read(&path) {
            Ok(tree) => match accept(&tree) {
                Ok(()) => return Ok((Some(Loaded { round, tree }), damaged)),
                Err(reason) => damaged.push(StoreError::Refused { path, reason }),
            },
            Err(error) => damaged.push(error),
        }
    }
    Ok((None, damaged))
}

/// What lies in a folder of checkpoints.
#[derive(Default)]
struct Listing {
    /// The checkpoints with their rounds, in no order.
    rounds: Vec<(u64, PathBuf)>,
    /// The temporary files of killed writers.
    leftovers: Vec<PathBuf>,
}

fn list(folder: &Path) -> Result<Listing, StoreError> {
    let mut listing = Listing::default();
    for entry in std::fs::read_dir(folder).map_err(io("list", folder))? {
        let entry = entry.map_err(io("list", folder))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if let Some(round) = round_of(&name) {
            listing.rounds.push((round, entry.path()));
        } else if name.starts_with(&format!(".{PREFIX}")) && name.ends_with(TEMPORARY_SUFFIX) {
            listing.leftovers.push(entry.path());
        }
    }
    Ok(listing)
}

fn round_of(name: &str) -> Option<u64> {
    name.strip_prefix(PREFIX)?
        .strip_suffix(SUFFIX)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::tree::Array;

    /// A checkpoint whose every value follows from the round.
    fn tree_of(round: u64) -> Tree {
        let values: Vec<u64> = (0..20_000).map(|k| round.wrapping_mul(k)).collect();
        let mut tree = Tree::new();
        tree.insert("weights/all", Array::list(values).unwrap())
            .unwrap();
        tree
    }

    fn rounds(folder: &Path) -> Vec<u64> {
        let mut rounds: Vec<u64> = list(folder)
            .unwrap()
            .rounds
            .into_iter()
            .map(|r| r.0)
            .collect();
        rounds.sort_unstable();
        rounds
    }

    #[test]
    fn the_last_two_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let any = |_: &Tree| Ok(());
        assert!(load_latest(folder.join("absent"), any).unwrap().0.is_none());
        assert!(load_latest(folder, any).unwrap().0.is_none());
        std::fs::write(folder.join(".checkpoint-00000001.h5.abc.tmp"), b"half").unwrap();
        std::fs::write(folder.join("events.jsonl"), b"{}").unwrap();
        for round in [1, 2, 3, 7] {
            save_checkpoint(folder, round, &tree_of(round)).unwrap();
        }
        assert_eq!(rounds(folder), [3, 7]);
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 3);
        save_checkpoint(folder, 4, &tree_of(4)).unwrap();
        assert_eq!(rounds(folder), [3, 4]);
    }

    #[test]
    fn a_damaged_one_is_reported_and_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        save_checkpoint(folder, 1, &tree_of(1)).unwrap();
        let newest = save_checkpoint(folder, 2, &tree_of(2)).unwrap();
        let bytes = std::fs::read(&newest).unwrap();
        std::fs::write(&newest, &bytes[..bytes.len() / 2]).unwrap();
        let (loaded, damaged) = load_latest(folder, |_| Ok(())).unwrap();
        let loaded = loaded.unwrap();
        assert_eq!((loaded.round, loaded.tree), (1, tree_of(1)));
        assert_eq!(damaged.len(), 1);
        assert!(damaged[0].to_string().contains("checkpoint-00000002.h5"));
    }

    #[test]
    fn one_that_belongs_elsewhere_is_reported_and_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        save_checkpoint(folder, 1, &tree_of(1)).unwrap();
        save_checkpoint(folder, 2, &tree_of(2)).unwrap();
        let first = |tree: &Tree| {
            let own = *tree == tree_of(1);
            own.then_some(())
                .ok_or_else(|| "it is the second".to_owned())
        };
        let (loaded, refused) = load_latest(folder, first).unwrap();
        assert_eq!(loaded.unwrap().round, 1);
        let said = refused[0].to_string();
        assert!(
            said.contains("00000002.h5 is not used: it is the second"),
            "{said}"
        );
    }

    const FOLDER: &str = "RETRIAL_STORE_KILL_TEST_FOLDER";
    const KILLS: usize = 20;

    /// This test starts itself again; the child saves checkpoints until it is killed.
    #[test]
    fn a_killed_writer_always_leaves_a_loadable_checkpoint() {
        if let Some(folder) = std::env::var_os(FOLDER) {
            write_until_killed(Path::new(&folder));
        }
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut state = 0x9e37_79b9_u64;
        let (mut newest, mut leftovers) = (0, 0);
        for kill in 0..KILLS {
            let mut child = start(folder);
            // The child is at work once it has gone beyond what the last one left.
            let start = Instant::now();
            while rounds(folder).last().copied().unwrap_or(0) <= newest {
                assert!(start.elapsed() < Duration::from_secs(60), "no checkpoint");
                std::thread::sleep(Duration::from_millis(1));
            }
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            std::thread::sleep(Duration::from_micros((state >> 33) % 30_000));
            child.kill().unwrap(); // SIGKILL on Unix
            child.wait().unwrap();
            let (loaded, damaged) = load_latest(folder, |_| Ok(())).unwrap();
            let loaded = loaded.unwrap();
            assert!(damaged.is_empty(), "kill {kill}: {damaged:?}");
            assert!(loaded.round > newest, "kill {kill}");
            assert_eq!(loaded.tree, tree_of(loaded.round), "kill {kill}");
            newest = loaded.round;
            leftovers += list(folder).unwrap().leftovers.len();
        }
        println!("{KILLS} kills, {leftovers} in the middle of a file, {newest} checkpoints");
    }

    fn start(folder: &Path) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture"])
            .arg("checkpoint::tests::a_killed_writer_always_leaves_a_loadable_checkpoint")
            .env(FOLDER, folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn write_until_killed(folder: &Path) -> ! {
        let (latest, _) = load_latest(folder, |_| Ok(())).unwrap();
        let mut round = latest.map_or(0, |latest| latest.round);
        let give_up = Instant::now() + Duration::from_secs(120); // The parent may have died.
        while Instant::now() < give_up {
            round += 1;
            save_checkpoint(folder, round, &tree_of(round)).unwrap();
        }
        std::process::exit(1)
    }
}
