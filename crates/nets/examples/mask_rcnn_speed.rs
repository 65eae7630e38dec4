//! CPU seconds of detection and of a training step, beside `benches/peers/maskrcnn_torch.py`.
//!
//! `mask_rcnn_speed [narrow | r50]`; one thread: `RAYON_NUM_THREADS=1`.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use retrial_image::InstanceMask;
use retrial_instances::matcher::MatchRule;
use retrial_instances::sampler::Balance;
use retrial_nets::device::Device;
use retrial_nets::mask_rcnn::{
    Architecture, Backbone, DetectionRule, DetectorTraining, Family, LossRules, MaskArchitecture,
    MaskPredictor, MaskRcnn, Normalisation, Picture, ProposalRule, Truth,
};
use retrial_nets::sgd::SgdRates;
use retrial_seed::Seed;

const ROUNDS: usize = 5;

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    if wanted != "r50" {
        for batch in [1, 4] {
            measure("narrow", &narrow(), (128, 160), batch, [200, 100, 64]);
        }
    }
    if wanted != "narrow" {
        measure("r50", &r50(), (256, 320), 1, [2000, 300, 512]);
    }
}

fn narrow() -> Architecture {
    Architecture {
        backbone: Backbone {
            family: Family::Resnet18,
            width: 16,
            normalisation: Normalisation::Batch,
        },
        pyramid_channels: 64,
        fc_dim: 64,
        classes: 5,
        anchor_sides: [8.0, 16.0, 32.0, 64.0, 128.0],
        anchor_ratios: vec![0.5, 1.0, 2.0],
        canonical_side: 64.0,
        masks: Some(MaskArchitecture {
            channels: 32,
            convolutions: 4,
            predictor: MaskPredictor::PerClass,
        }),
    }
}

fn r50() -> Architecture {
    Architecture {
        backbone: Backbone {
            family: Family::Resnet50,
            width: 64,
            normalisation: Normalisation::Running,
        },
        pyramid_channels: 256,
        fc_dim: 1024,
        classes: 13,
        anchor_sides: [32.0, 64.0, 128.0, 256.0, 512.0],
        canonical_side: 224.0,
        masks: Some(MaskArchitecture {
            channels: 256,
            convolutions: 4,
            predictor: MaskPredictor::PerClass,
        }),
        ..narrow()
    }
}

fn measure(
    name: &str,
    architecture: &Architecture,
    (height, width): (usize, usize),
    batch: usize,
    [train, proposals, regions]: [usize; 3],
) {
    let device = Device::flex();
    let mut stream = Seed(1).stream("speed");
    let net = MaskRcnn::new(architecture, &mut stream, &device).expect("known sizes");
    let pictures: Vec<Picture> = (0..batch)
        .map(|_| Picture {
            height,
            width,
            values: (0..height * width * 3)
                .map(|_| stream.normal() as f32)
                .collect(),
        })
        .collect();
    let truths: Vec<Truth> = (0..batch).map(|_| truth(height, width)).collect();
    let rule = |after_nms: usize| ProposalRule {
        before_nms: after_nms,
        after_nms,
        nms: 0.7,
    };
    // Every box counts as found, so that the mask head has its 100 boxes.
    let detection = DetectionRule {
        proposals: rule(proposals),
        confidence: 0.0,
        nms: 0.5,
        most: 100,
    };
    let seen: Vec<&Picture> = pictures.iter().collect();
    let mut found = 0;
    let infer = median(|| {
        let all = net.detect(architecture, &seen, &detection, &device);
        found = all.iter().map(Vec::len).sum();
    });
    let rules = LossRules {
        proposals: rule(train),
        anchor_match: MatchRule::PROPOSALS,
        anchor_balance: Balance::PROPOSALS,
        region_match: MatchRule::BOX_HEAD,
        region_balance: Balance {
            total: regions,
            ..Balance::BOX_HEAD
        },
    };
    let rates = SgdRates {
        momentum: 0.9,
        weight_decay: 0.0,
        clip_norm: None,
    };
    let mut training =
        DetectorTraining::new(architecture.clone(), net, rules, rates, Seed(1), &[device]);
    let items: Vec<(&Picture, &Truth)> = pictures.iter().zip(&truths).collect();
    let mut iteration = 0;
    let step = median(|| {
        training
            .step(iteration, 1e-4, &items)
            .expect("finite losses");
        iteration += 1;
    });
    println!(
        "{name} {height}x{width} b{batch}: infer {:.3} s ({found} found), train {:.3} s",
        infer.as_secs_f64(),
        step.as_secs_f64()
    );
}

/// Four boxes with full masks.
fn truth(height: usize, width: usize) -> Truth {
    let mut truth = Truth::default();
    for i in 0..4 {
        let (x, y) = (width * i / 6, height * i / 6);
        let (w, h) = (width * 3 / 10, height * 3 / 10);
        let mut mask = InstanceMask::empty(height, width);
        for row in y..y + h {
            mask.inside_mut()[row * width + x..row * width + x + w].fill(true);
        }
        truth.boxes.push([x, y, x + w, y + h].map(|v| v as f32));
        truth.classes.push(1 + i);
        truth.masks.push(Some(mask));
    }
    truth
}

/// Median CPU time, after one call that does not count.
fn median(mut work: impl FnMut()) -> Duration {
    work();
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let before = cpu();
            work();
            cpu() - before
        })
        .collect();
    times.sort();
    times[ROUNDS / 2]
}

fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("a process has usage");
    let time = usage.user_time();
    Duration::new(time.tv_sec() as u64, time.tv_usec() as u32 * 1000)
}
