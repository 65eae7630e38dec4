//! Prints the figures of the published validation from the plain reference of ADIC2D: the targets of the engine.
//!
//! `RETRIAL_MIRROR=FOLDER cargo run --release -p retrial-dic --example adic2d_plain [SAMPLE SUBSET_PX ORDER STEP_PX
//! GRADIENT]`
//!
//! Without arguments it prints the 88 figures of 22 settings. One of which a printed digit differs from that of the
//! authors' code has the latter beside it in brackets. With arguments it prints the four figures of one setting, such
//! as the published one, `3 41 1 5 prewitt_unscaled`; `prewitt` is the corrected gradient.

mod adic2d;
mod validation;

use std::process::ExitCode;

use retrial_dic::Gradient;

use validation::{DIGITS, ROWS, Setting, measured, sample};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match print(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn print(arguments: &[String]) -> Result<(), String> {
    let wanted: Vec<(Setting, Option<[f64; 4]>)> = match arguments {
        [] => ROWS
            .map(|(setting, figures)| (setting, Some(figures)))
            .to_vec(),
        arguments => vec![(setting(arguments)?, None)],
    };
    println!(
        "| sample | subset, px | order | step, px | gradient | MAE, px | SD, px | RMSE, px | iterations |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (setting, printed) in wanted {
        let (sample_number, side, order, step, gradient) = setting;
        let figures = measured(&sample(sample_number)?, setting);
        let cells = (0..4).map(|i| {
            let text = |value: f64| format!("{value:.*}", DIGITS[i]);
            let own = text(figures[i]);
            match printed.map(|printed| text(printed[i])) {
                Some(other) if other != own => format!("{own} ({other})"),
                _ => own,
            }
        });
        let cells: Vec<String> = cells.collect();
        println!(
            "| {sample_number} | {side} | {order} | {step} | {gradient} | {} |",
            cells.join(" | ")
        );
    }
    Ok(())
}

fn setting(arguments: &[String]) -> Result<Setting, String> {
    let [sample, side, order, step, gradient] = arguments else {
        return Err("expected SAMPLE SUBSET_PX ORDER STEP_PX GRADIENT, or nothing".to_owned());
    };
    let number = |name: &str, text: &str, is_right: fn(usize) -> bool, right: &str| {
        let number = text.parse().ok().filter(|number| is_right(*number));
        number.ok_or_else(|| format!("{name}: {text:?} is not {right}"))
    };
    let sample = number("SAMPLE", sample, |n| (1..=3).contains(&n), "1, 2 or 3")?;
    let is_side = |n: usize| n >= 3 && !n.is_multiple_of(2) && n < 200;
    let side = number("SUBSET_PX", side, is_side, "an odd number from 3 to 199")?;
    let order = number("ORDER", order, |n| n <= 2, "0, 1 or 2")?;
    let step = number(
        "STEP_PX",
        step,
        |n| (1..=100).contains(&n),
        "a number from 1 to 100",
    )?;
    let gradient = match &gradient[..] {
        "prewitt" => Gradient::Prewitt,
        "prewitt_unscaled" => Gradient::PrewittUnscaled,
        other => {
            return Err(format!(
                "GRADIENT: {other:?} is neither prewitt nor prewitt_unscaled"
            ));
        }
    };
    Ok((sample as u8, side, order, step, gradient))
}
