//! What the weights look like, and which pictures have the largest and the smallest.

use std::path::Path;

use retrial_core::report_spec::Scale;
use retrial_data::{read_colour, read_graded};
use retrial_report::{HistogramWords, SheetPicture, SheetRow, contact_sheet_png, histogram_png};
use retrial_runner::eprintln;
use retrial_similarity::extremes;

use super::domain::Domain;
use super::texture::{ends, without_path};
use super::weigh::Weighed;
use crate::cli::{GreyRange, SimilarityArgs};

/// Pictures of a row of the sheet.
const SHOWN: usize = 8;

/// Largest weight over the smallest from which the axis is logarithmic.
const WIDE: f64 = 20.0;

/// The weights times their number, with notes on those that are not shown.
pub(super) fn histogram(weighed: &Weighed) -> Option<(Vec<u8>, Vec<String>)> {
    let n = weighed.draws.len();
    let times: Vec<f64> = (0..n).map(|at| weighed.times_uniform(at)).collect();
    let smallest = times.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = times.iter().copied().fold(0.0, f64::max);
    let scale = match largest > WIDE * smallest {
        true => Scale::Log,
        false => Scale::Linear,
    };
    let legend = format!(
        "n = {n}, effective sample {:.1} %",
        100.0 * weighed.effective_share()
    );
    let words = HistogramWords {
        name: "weight × n",
        of: "picture",
        legend: &legend,
        mark: (1.0, "uniform draw"),
    };
    histogram_png(&times, scale, &words)
}

/// The most and the least similar pictures.
pub(super) fn sheet(args: &SimilarityArgs, source: &Domain, weighed: &Weighed) -> Option<Vec<u8>> {
    let n = weighed.draws.len();
    // No picture stands in both rows.
    let (most, least) = extremes(&weighed.weights, SHOWN.min(n.div_ceil(2)));
    let row = |title: &str, pictures: Vec<usize>| SheetRow {
        title: title.to_owned(),
        pictures: pictures
            .into_iter()
            .filter_map(|at| {
                let path = source.listing.path(source.pictures[at].0 as usize);
                match shown(&path, args.grey_range, weighed.log10_times_uniform(at)) {
                    Ok(picture) => Some(picture),
                    Err(reason) => {
                        let path = path.display();
                        eprintln!("warning: {path} is left out of similar.png: {reason}");
                        None
                    }
                }
            })
            .collect(),
    };
    let rows = [
        row("Most similar to the target domain", most),
        row("Least similar", least),
    ];
    let note = format!("Below each picture: weight × n, with n = {n}; 1 is a uniform draw.");
    contact_sheet_png(&rows, &note)
}

/// A picture as the eye should see it: in colour, or in the grey values whose texture was taken.
fn shown(path: &Path, range: GreyRange, log10: f64) -> Result<SheetPicture, String> {
    if range == GreyRange::Depth
        && let Ok(picture) = read_colour(path)
    {
        return Ok(SheetPicture {
            width: picture.width,
            height: picture.height,
            rgb: picture.rgb,
            log10,
        });
    }
    let image = read_graded(path).map_err(without_path)?.image;
    let [low, high] = match range {
        GreyRange::Stated(low, high) => [low, high],
        GreyRange::Depth | GreyRange::Own => ends(image.pixels())?,
    };
    let grey = |&value: &f32| (255.0 * (value - low) / (high - low)).clamp(0.0, 255.0) as u8;
    Ok(SheetPicture {
        width: image.width(),
        height: image.height(),
        rgb: image.pixels().iter().flat_map(|v| [grey(v); 3]).collect(),
        log10,
    })
}
