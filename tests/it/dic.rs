//! The study `dic`.

use crate::project::Project;

#[test]
fn the_same_trial_twice_gives_the_same_content_for_any_number_of_threads() {
    let spec = "format: 1\nstudy: dic\nquestion: q\ndataset: speckle-smoke\nparams: {subset_size_px: 21}\n";
    let contents: Vec<_> = ["1", "2"]
        .into_iter()
        .map(|threads| {
            let project = Project::new().with("a", spec);
            let mut command = project.command(&["run", "experiments/a.yaml", "--no-report"]);
            let status = command
                .env("RAYON_NUM_THREADS", threads)
                .status()
                .expect("a run");
            assert!(status.success());
            project.contents("dic", "a")
        })
        .collect();
    assert_eq!(contents[0], contents[1]);
    assert_eq!(contents[0].len(), 1);
}

#[test]
#[ignore = "needs RETRIAL_MIRROR"]
fn challenge_sample_1_and_3_reach_the_range_of_good_engines() {
    let spec = "format: 1\nstudy: dic\nquestion: q\nparams: {step_px: 20}\n\
                sweep: {dataset: [dic-challenge-sample01, dic-challenge-sample03]}\n";
    let project = Project::new().with("a", spec);
    project
        .retrial("run experiments/a.yaml --offline --no-report")
        .exits(0);
    let records = project.records("dic", "a");
    assert_eq!(records.len(), 2);
    for record in records.values() {
        let (limit, bias) = match record.dataset.as_ref().expect("data").name.as_str() {
            "dic-challenge-sample01" => (0.0015, 0.0005),
            _ => (0.0047, 0.001),
        };
        let metric = |name| record.metric(name).expect("a metric");
        assert!(
            metric("rmse") <= limit,
            "{}: rmse {}",
            record.trial,
            metric("rmse")
        );
        assert!(metric("bias_u").abs() <= bias && metric("bias_v").abs() <= bias);
        assert_eq!(metric("excluded_points"), 0.0);
    }
}
