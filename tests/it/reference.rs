//! The pages of reference that are committed are those that the program prints.

use std::path::Path;

use crate::project::Project;

#[test]
fn the_committed_pages_are_those_that_the_program_prints() {
    let project = Project::new();
    for (of, folder) in [("spec", "experiments"), ("manifest", "datasets")] {
        let printed = project.retrial(&["reference", of]);
        printed.exits(0);
        let page = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(folder)
            .join("REFERENCE.md");
        let committed = std::fs::read_to_string(&page).unwrap_or_default();
        let differs = committed
            .lines()
            .zip(printed.out.lines())
            .position(|(a, b)| a != b);
        assert!(
            committed == printed.out,
            "{folder}/REFERENCE.md is another from line {} on; write it again: \
             target/release/retrial reference {of} > {folder}/REFERENCE.md",
            differs.unwrap_or(committed.lines().count()) + 1,
        );
    }
}
