//! A throw-away project folder that reads as prose.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use retrial_core::record::Record;

/// The program under test.
pub(crate) const RETRIAL: &str = env!("CARGO_BIN_EXE_retrial");

/// A project of its own, with the data sets of this repository.
pub(crate) struct Project {
    folder: tempfile::TempDir,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// What stands behind the name of the program: one text without blanks in an argument, or a list.
pub(crate) trait CommandLine {
    fn arguments(&self) -> Vec<&str>;
}

impl CommandLine for str {
    fn arguments(&self) -> Vec<&str> {
        self.split(' ').collect()
    }
}

impl CommandLine for [&str] {
    fn arguments(&self) -> Vec<&str> {
        self.to_vec()
    }
}

impl<const N: usize> CommandLine for [&str; N] {
    fn arguments(&self) -> Vec<&str> {
        self.to_vec()
    }
}

impl CommandLine for Vec<&str> {
    fn arguments(&self) -> Vec<&str> {
        self.clone()
    }
}

impl Project {
    pub(crate) fn new() -> Self {
        let project = Self::empty();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets");
        std::os::unix::fs::symlink(data, project.path().join("datasets")).expect("a link");
        project
    }

    /// One without a data set.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("experiments")).expect("a folder");
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Adds `experiments/<name>.yaml`.
    pub(crate) fn with(self, name: &str, text: &str) -> Self {
        self.write(&format!("experiments/{name}.yaml"), text);
        self
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("written");
    }

    pub(crate) fn command(&self, line: &(impl CommandLine + ?Sized)) -> Command {
        let mut command = Command::new(RETRIAL);
        command
            .args(line.arguments())
            .current_dir(self.path())
            .env("RETRIAL_CACHE", self.path().join("cache"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn retrial(&self, line: &(impl CommandLine + ?Sized)) -> Said {
        said(&self.command(line).output().expect("the program starts"))
    }

    /// Starts the command with its output thrown away.
    pub(crate) fn start(&self, line: &(impl CommandLine + ?Sized)) -> Child {
        self.command(line)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts")
    }

    /// All records of an experiment by trial id.
    pub(crate) fn records(&self, study: &str, experiment: &str) -> BTreeMap<String, Record> {
        let folder = self.path().join("results").join(study).join(experiment);
        names(&folder)
            .into_iter()
            .filter(|name| !name.contains(".partial") && !name.contains(".attempts"))
            .filter_map(|name| {
                let path = folder.join(&name).join("trial.yaml");
                let text = std::fs::read_to_string(path).ok()?;
                Some((name, serde_yaml::from_str(&text).expect("a record")))
            })
            .collect()
    }

    /// Content hashes of an experiment by trial id.
    pub(crate) fn contents(&self, study: &str, experiment: &str) -> BTreeMap<String, String> {
        let records = self.records(study, experiment);
        records
            .into_iter()
            .map(|(id, record)| (id, record.content))
            .collect()
    }

    /// Failed attempts of an experiment.
    pub(crate) fn attempts(&self, study: &str, experiment: &str) -> Vec<Record> {
        let folder = self.path().join("results").join(study).join(experiment);
        let mut found = Vec::new();
        for name in names(&folder)
            .iter()
            .filter(|name| name.ends_with(".attempts"))
        {
            for number in names(&folder.join(name)) {
                let path = folder.join(name).join(number).join("attempt.yaml");
                let text = std::fs::read_to_string(path).expect("an attempt");
                found.push(serde_yaml::from_str::<Record>(&text).expect("an attempt"));
            }
        }
        found.sort_by_key(|record| record.attempt);
        found
    }
}

/// Sorted names in a folder; none where it is missing.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

fn said(output: &Output) -> Said {
    Said {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Said {
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(
            self.out.contains(text),
            "no `{text}` in:\n{}\n{}",
            self.out,
            self.err
        );
        self
    }

    #[track_caller]
    pub(crate) fn complains(&self, text: &str) -> &Self {
        assert!(self.err.contains(text), "no `{text}` in:\n{}", self.err);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).expect("JSON on standard output")
    }
}

/// A spec of the study `fake`.
pub(crate) fn fake(rest: &str) -> String {
    format!("format: 1\nstudy: fake\nquestion: Does the pipeline hold?\n{rest}")
}

/// The folder with copies of real data.
pub(crate) fn mirror() -> PathBuf {
    let mirror = std::env::var_os("RETRIAL_MIRROR");
    PathBuf::from(mirror.expect("set RETRIAL_MIRROR to a folder with copies of the data"))
}
