//! Commands that change packs: nothing is lost, whoever else is at it and whatever the files say.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use crate::pack::{SPEC, folder, packed, remove_trials, rewrite};
use crate::project::{Project, fake, names};

/// The spec with one seed less.
fn fewer(project: &Project) {
    project.write(
        "experiments/a.yaml",
        &fake(&SPEC.replace("[0, 1, 2]", "[0, 1]")),
    );
}

fn read(project: &Project, name: &str) -> String {
    fs::read_to_string(folder(project).join(name)).expect("a file")
}

/// Ids of the trials in a pack.
fn trials(project: &Project) -> Vec<String> {
    let text = read(project, "trials.csv");
    let cells = text.lines().skip(1).filter_map(|row| row.split(',').nth(1));
    cells.map(str::to_owned).collect()
}

/// Every file of a folder with its bytes, hidden ones aside.
fn all(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            let inner = all(&path).into_iter();
            files.extend(inner.map(|(own, bytes)| (format!("{name}/{own}"), bytes)));
        } else {
            files.insert(name, fs::read(&path).expect("a file"));
        }
    }
    files
}

#[test]
fn packing_again_loses_neither_earlier_records_nor_the_only_copy_of_a_table() {
    let project = packed();
    remove_trials(&project);
    let before = (
        read(&project, "trials.csv"),
        read(&project, "tables/rounds.csv"),
    );
    fewer(&project);
    project.retrial(&["claims"]).exits(0);
    project
        .retrial(&["pack"])
        .exits(0)
        .complains("1 record of an earlier plan packed, too")
        .says("3 trials");
    let pack = |project: &Project| {
        (
            read(project, "trials.csv"),
            read(project, "tables/rounds.csv"),
        )
    };
    assert_eq!(pack(&project), before);
    // No figure shows the table any more.
    let (head, _) = SPEC.split_once("report:").expect("a report");
    project.write("experiments/a.yaml", &fake(head));
    project
        .retrial(&["pack"])
        .exits(0)
        .complains("rounds.csv stays packed");
    assert_eq!(pack(&project), before);
    project.retrial(&["report"]).exits(0);
    // With its folders there, what is not kept is only there.
    project.retrial(&["unpack"]).exits(0);
    project.retrial(&["pack"]).exits(0);
    assert!(!folder(&project).join("tables").exists());
    project.retrial(&["claims"]).exits(0);
}

#[test]
fn an_id_is_no_number_and_that_of_its_trial() {
    let project = packed();
    remove_trials(&project);
    let text = read(&project, "trials.csv");
    let ids: Vec<&str> = text
        .lines()
        .filter_map(|row| row.split(',').next())
        .collect();
    for (id, trial) in ids[1..].iter().zip(trials(&project)) {
        assert!(
            id.starts_with('t') && trial.ends_with(&id[1..]),
            "{id} {trial}"
        );
    }
    let swapped = text
        .replace(ids[1], "?")
        .replace(ids[2], ids[1])
        .replace('?', ids[2]);
    fs::write(folder(&project).join("trials.csv"), &swapped).expect("written");
    project
        .retrial(&["claims"])
        .exits(4)
        .complains("2 records are damaged")
        .complains("its `id` is that of another trial");
    let first = trials(&project)[0].clone();
    project
        .retrial(&["rm", &format!("fake/a/{first}")])
        .exits(0);
    assert!(!trials(&project).contains(&first));
    assert_eq!(trials(&project).len(), 2);
    project.retrial(&["run", "a"]).exits(0);
    project.retrial(&["claims"]).exits(0);
}

#[test]
fn a_row_given_twice_and_a_table_cut_short_leave_the_other_rows() {
    let project = packed();
    remove_trials(&project);
    let text = read(&project, "trials.csv");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let recorded = |project: &Project| {
        let said = project.retrial(&["status", "--format", "json"]);
        said.exits(0).json()["experiments"][0]["recorded"].clone()
    };
    let write = |text: &str| fs::write(folder(&project).join("trials.csv"), text).expect("written");
    write(&format!("{text}{}", lines[2]));
    assert_eq!(recorded(&project), 3);
    project
        .retrial(&["claims"])
        .exits(4)
        .complains("a line above it is of the same trial");
    project
        .retrial(&["run", "a"])
        .exits(0)
        .says("all 3 trials are recorded");
    assert_eq!(read(&project, "trials.csv"), text);
    // As a merge that met a conflict leaves it.
    let merge = format!(
        "{}<<<<<<< HEAD\n{}=======\n{}>>>>>>> other\n{}",
        lines[0], lines[1], lines[2], lines[3]
    );
    write(&merge);
    assert_eq!(recorded(&project), 3);
    project
        .retrial(&["plan"])
        .exits(0)
        .complains("line 2: it has 1 of ");
    project
        .retrial(&["run", "a"])
        .exits(0)
        .complains("set aside: fake/a/trials.csv");
    assert_eq!(read(&project, "trials.csv"), text);
    assert_eq!(read(&project, ".aside/pack.2/trials.csv"), merge);
    write(&text[..text.len() - 500]);
    assert_eq!(recorded(&project), 2);
    project.retrial(&["status"]).exits(0).complains("line 4: ");
    fs::write(folder(&project).join("attempts.csv"), "x\n1\n").expect("written");
    assert_eq!(recorded(&project), 2);
    project
        .retrial(&["run", "a"])
        .exits(0)
        .complains("set aside: fake/a/attempts.csv")
        .says("2 trials recorded already, 1 to run");
    project.retrial(&["claims"]).exits(0);
}

#[test]
fn what_no_record_says_is_damage() {
    let project = packed();
    remove_trials(&project);
    let sound = all(&folder(&project));
    for (file, from, to, reason) in [
        ("trials.csv", "id,", "id,contents.nope,", " cells"),
        (
            "trials.csv",
            ",kept\n",
            ",kept,kept\n",
            "names the column `kept` twice",
        ),
        (
            "tables/rounds.csv",
            "id,",
            "jd,",
            "its first column is `jd`",
        ),
        (
            "tables/rounds.csv",
            "\nt",
            "\nt0,1,2\nt",
            "has a row of `t0`",
        ),
    ] {
        rewrite(&folder(&project).join(file), from, to);
        project.retrial(&["report"]).exits(4).complains(reason);
        for (name, bytes) in &sound {
            fs::write(folder(&project).join(name), bytes).expect("written");
        }
    }
    // A column with a cell of its own in every row.
    let text = read(&project, "trials.csv");
    let more = text.replace(",kept\n", ",provenance.host.x,kept\n");
    let more = more.replace(",rounds.csv\n", ",1,rounds.csv\n");
    fs::write(folder(&project).join("trials.csv"), more).expect("written");
    project
        .retrial(&["claims"])
        .exits(4)
        .complains("nothing in the column `provenance.host.x`");
    fs::write(folder(&project).join("trials.csv"), text).expect("written");
    fs::create_dir(folder(&project).join("pictures")).expect("a folder");
    fs::write(folder(&project).join("pictures/t1.a.png"), "x").expect("written");
    project
        .retrial(&["report"])
        .exits(4)
        .complains("pictures/t1.a.png: it is of no trial");
    project.retrial(&["run", "a"]).exits(0);
    assert!(!folder(&project).join("pictures").exists());
    project.retrial(&["report"]).exits(0);
}

#[test]
fn an_unpacked_folder_needs_no_pack() {
    let project = packed();
    remove_trials(&project);
    let outside = project.path().join("outside");
    fs::create_dir(&outside).expect("a folder");
    let first = trials(&project)[0].clone();
    symlink(&outside, folder(&project).join(format!(".unpack-{first}"))).expect("a link");
    let left = folder(&project).join(format!(".unpack-{}", trials(&project)[1]));
    fs::create_dir(&left).expect("a folder");
    fs::write(left.join(".trial.yaml.1.tmp"), "half").expect("written");
    project
        .retrial(&["unpack"])
        .exits(0)
        .says("3 records unpacked");
    assert!(names(&outside).is_empty());
    for trial in trials(&project) {
        let own = names(&folder(&project).join(trial));
        assert_eq!(own, [".unpacked", "rounds.csv", "trial.yaml"]);
    }
    fs::remove_file(folder(&project).join("trials.csv")).expect("removed");
    fs::remove_dir_all(folder(&project).join("tables")).expect("removed");
    project.retrial(&["report"]).exits(0);
    project
        .retrial(&["run", "a"])
        .exits(0)
        .says("all 3 trials are recorded");
    fs::remove_file(folder(&project).join(&first).join("rounds.csv")).expect("removed");
    project
        .retrial(&["claims"])
        .exits(4)
        .complains("rounds.csv is missing");
}

#[test]
fn whoever_changes_a_pack_waits_for_who_does() {
    let project = packed();
    let trials = trials(&project);
    let name = |trial: &String| format!("fake/a/{trial}");
    let (first, second) = (name(&trials[0]), name(&trials[1]));
    for _ in 0..4 {
        let commands: [&[&str]; 5] = [
            &["pack"],
            &["prune", "--packed"],
            &["unpack"],
            &["unpack"],
            &["prune", "--packed"],
        ];
        let started: Vec<_> = commands
            .iter()
            .map(|command| project.start(command))
            .collect();
        for mut own in started {
            assert!(own.wait().expect("an end").success());
        }
    }
    let removed = [["rm", &first], ["rm", &second]].map(|command| project.start(&command));
    for mut own in removed {
        assert!(own.wait().expect("an end").success());
    }
    assert_eq!(crate::packs::trials(&project), trials[2..]);
    assert!(names(&project.path().join("results/.leases")).is_empty());
    project.retrial(&["pack"]).exits(0).says("1 trial,");
}

#[test]
fn prune_names_experiments_without_spec_and_takes_packed_attempts() {
    let spec = fake("seeds: [0, 1]\nparams: {ends: error}\n");
    let project = packed().with("b", &spec);
    project.retrial(&["run", "b"]).exits(1);
    project.retrial(&["pack"]).exits(0);
    fewer(&project);
    let before = all(&project.path().join("results"));
    project
        .retrial(&["prune", "--packed", "--dry-run"])
        .exits(0);
    assert_eq!(all(&project.path().join("results")), before);
    project
        .retrial(&["prune", "--packed"])
        .exits(0)
        .says("of no present plan")
        .says(".attempts/1: packed; its folder goes");
    let left = names(&project.path().join("results/fake/b"));
    assert_eq!(left, ["attempts.csv", "experiment.yaml"]);
    fs::remove_file(project.path().join("experiments/a.yaml")).expect("removed");
    project
        .retrial(&["prune"])
        .exits(0)
        .says("fake/a: its spec is gone")
        .says("`retrial rm fake/a`");
    project
        .retrial(&["status"])
        .exits(0)
        .says("fake/a has records and no spec");
    assert_eq!(trials(&project).len(), 2);
}

#[test]
fn a_rename_that_cannot_be_made_changes_nothing() {
    let project = packed().with("c", "extends: a.yaml\nquestion: And then?\n");
    let experiments = project.path().join("experiments");
    let state = || (all(&project.path().join("results")), all(&experiments));
    project.retrial(&["claims"]).exits(0);
    let before = state();
    for (new, code, reason) in [
        ("A_b", 2, "use small letters, digits and hyphens"),
        ("c", 2, "is there already"),
        (&"b".repeat(254), 5, "too long"),
    ] {
        project
            .retrial(&["rename", "fake/a", new])
            .exits(code)
            .complains(reason);
        assert_eq!(state(), before, "{new}");
    }
    let mode = |mode| {
        fs::set_permissions(&experiments, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    mode(0o555);
    let is_kept = fs::write(experiments.join("x"), "").is_err();
    if is_kept {
        project.retrial(&["rename", "fake/a", "b"]).exits(5);
        assert_eq!(state(), before);
    }
    mode(0o755);
    let _ = fs::remove_file(experiments.join("x"));
    project.retrial(&["rename", "fake/a", "b"]).exits(0);
    let child = fs::read_to_string(experiments.join("c.yaml")).expect("a spec");
    assert_eq!(child, "extends: b.yaml\nquestion: And then?\n");
    assert!(!folder(&project).exists() && !experiments.join("a.yaml").exists());
    project.retrial(&["check"]).exits(0);
    project.retrial(&["report"]).exits(0);
    project
        .retrial(&["run", "b"])
        .exits(0)
        .says("all 3 trials are recorded");
}

#[test]
fn a_rename_that_was_killed_is_ended_by_giving_it_again() {
    let spec = fake("seeds: [0, 1, 2, 3, 4, 5, 6, 7]\nparams: {rounds: 1}\n");
    for wait in [0, 5, 15, 30, 60, 120] {
        let project = Project::new().with("a", &spec);
        project.retrial(&["run", "a"]).exits(0);
        project.retrial(&["pack"]).exits(0);
        let contents = project.contents("fake", "a");
        let mut own = project.start(&["rename", "fake/a", "b"]);
        std::thread::sleep(std::time::Duration::from_millis(wait));
        own.kill().expect("killed");
        own.wait().expect("an end");
        let results = project.path().join("results/fake");
        let is_done = || names(&results).iter().all(|name| name != "a");
        let again = project.retrial(&["rename", "fake/a", "b"]);
        // Where the first one had come to its end, there is no such experiment any more.
        assert!(again.code == Some(0) || is_done(), "{again:?}");
        assert_eq!(project.contents("fake", "b"), contents, "after {wait} ms");
        project.retrial(&["claims"]).exits(0);
        let status = project.retrial(&["status", "--format", "json"]).json();
        assert_eq!(status["experiments"][0]["recorded"], 8);
        assert_eq!(status["without_spec"].as_array().map(Vec::len), Some(0));
    }
}

#[test]
fn a_record_that_does_not_say_what_enters_its_id_is_damage() {
    let project = packed();
    fs::remove_file(folder(&project).join("trials.csv")).expect("removed");
    let file = folder(&project)
        .join(
            names(&folder(&project))
                .iter()
                .find(|name| name.starts_with("level-"))
                .expect("a trial"),
        )
        .join("trial.yaml");
    let text = fs::read_to_string(&file).expect("text");
    let (body, _) = retrial_core::seal::unsealed(&text).expect("a seal");
    let (head, rest) = body.split_once("set:\n").expect("a list");
    let rest = &rest[rest.find("\nseed:").expect("a seed") + 1..];
    for (body, reason) in [
        (
            format!("{head}{rest}"),
            "does not say which params enter its id",
        ),
        (
            body.replace("  factor: ", "  other: 1\n  factor: "),
            "has no param `other`",
        ),
    ] {
        fs::write(&file, retrial_core::seal::sealed(&body)).expect("written");
        project.retrial(&["claims"]).exits(4).complains(reason);
    }
}
