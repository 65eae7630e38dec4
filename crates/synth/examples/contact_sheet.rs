//! Writes a sheet of generated thermograms as one PNG: `contact_sheet PATH [SEED] [COLUMNS ROWS]`.
//!
//! Outlines of the visible masks are drawn in green in every second row, which repeats the row
//! above it. Prints how many scenes a second were drawn, colours and outlines aside.

use std::env;
use std::error::Error;
use std::time::{Duration, Instant};

use image::{ImageBuffer, Rgb};
use retrial_synth::infrared::{Scene, SceneSpec, pseudo_colour, scene};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let path = arguments
        .first()
        .ok_or("usage: contact_sheet PATH [SEED] [COLUMNS ROWS]")?;
    let number = |i: usize, default: u32| {
        arguments
            .get(i)
            .map_or(Ok(default), |text| text.parse::<u32>())
    };
    let (columns, rows) = (number(2, 6)?, number(3, 4)?);
    let spec = SceneSpec {
        seed: u64::from(number(1, 0)?),
        ..SceneSpec::default()
    };
    let (width, height) = (spec.width as u32, spec.height as u32);
    let mut sheet = ImageBuffer::new(columns * (width + 4), rows * 2 * (height + 4));
    let mut drawing = Duration::ZERO;
    for i in 0..columns * rows {
        let start = Instant::now();
        let scene = scene(&spec, u64::from(i))?;
        drawing += start.elapsed();
        let colours = pseudo_colour(&scene.temperature_c, window(&scene));
        let outline = outlines(&scene);
        let (x0, y0) = (i % columns * (width + 4), i / columns * 2 * (height + 4));
        for (at, colour) in colours.chunks_exact(3).enumerate() {
            let (x, y) = (x0 + at as u32 % width, y0 + at as u32 / width);
            let plain = Rgb([colour[0], colour[1], colour[2]]);
            sheet.put_pixel(x, y, plain);
            let marked = if outline[at] { Rgb([0, 255, 0]) } else { plain };
            sheet.put_pixel(x, y + height + 4, marked);
        }
    }
    sheet.save(path)?;
    let scenes = f64::from(columns * rows);
    println!("{:.0} scenes a second", scenes / drawing.as_secs_f64());
    Ok(())
}

/// Coldest and hottest percent cut, as cameras choose their window.
fn window(scene: &Scene) -> (f32, f32) {
    let mut sorted = scene.temperature_c.clone();
    sorted.sort_by(f32::total_cmp);
    let cut = sorted.len() / 100;
    (sorted[cut], sorted[sorted.len() - 1 - cut / 4])
}

/// Pixels of a mask with a neighbour outside it.
fn outlines(scene: &Scene) -> Vec<bool> {
    let mut all = vec![false; scene.width * scene.height];
    for instance in &scene.instances {
        let inside = instance.visible.inside();
        for y in 1..scene.height - 1 {
            for x in 1..scene.width - 1 {
                let at = y * scene.width + x;
                let around = [at - 1, at + 1, at - scene.width, at + scene.width];
                all[at] |= inside[at] && around.iter().any(|other| !inside[*other]);
            }
        }
    }
    all
}
