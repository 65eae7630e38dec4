//! Fields as colour on a regular grid, with `y` downwards as in images; points without a value
//! are grey.

use retrial_core::keys::Kind;

use super::axis::{label_with, nice_ticks, tick_labels};
use super::chart::AXIS_WIDTH;
use super::drawing::Drawing;
use super::kind::{FigureKind, Title};
use super::palette;
use super::scene::{Anchor, INK, LABEL_POINTS, POINT, Scene, Shape, TICK_POINTS, text_width};
use super::source::Source;
use crate::error::ReportError;

/// How far the smaller side of zero must reach, by the larger one, for a scale about zero.
const LEAST_BEYOND: f64 = 0.1;

/// A field: one panel.
pub(super) struct Field {
    title: String,
    columns: Vec<f64>,
    rows: Vec<f64>,
    values: Vec<f64>,
}

/// What the axes and the colour bar show: name and unit.
pub(super) struct Labels {
    pub(super) x: (String, String),
    pub(super) y: (String, String),
    pub(super) value: (String, String),
}

/// A regular axis of a grid: its first value, its step and the number of places.
struct Steps {
    first: f64,
    step: f64,
    count: usize,
}

pub(super) const KIND: FigureKind = FigureKind {
    keys: Kind {
        word: "heat",
        doc: "`value` as colour on the regular grid of `x` and `y` (downwards), one panel a \
              value of `series`; points without a value are grey.",
        needs: &["table", "x", "y", "value"],
        takes: &[],
    },
    title: Title::Value("a field"),
    draw,
};

fn draw(source: &Source<'_>) -> Result<Drawing, ReportError> {
    let (fields, trials) = fields(source)?;
    let labels = Labels {
        x: source.name_and_unit(source.x()?),
        y: source.name_and_unit(source.spec.y.first().map_or("", String::as_str)),
        value: source.name_and_unit(source.value()?),
    };
    let scene = scene(&fields, &labels)
        .ok_or_else(|| source.fault("no finite value to draw".to_owned()))?;
    let mut notes = source.notes();
    if trials > 1 {
        notes.push(format!(
            "Each point is the mean over up to {trials} trials."
        ));
    }
    let missing = fields
        .iter()
        .flat_map(|field| &field.values)
        .filter(|v| !v.is_finite());
    let missing = missing.count();
    if missing > 0 {
        let points = if missing == 1 {
            "point has"
        } else {
            "points have"
        };
        notes.push(format!("{missing} grid {points} no value (grey)."));
    }
    Ok(Drawing { scene, notes })
}

/// The panels of some fields; `None` where no value is finite.
pub(super) fn scene(fields: &[Field], labels: &Labels) -> Option<Scene> {
    let finite = || {
        let values = fields.iter().flat_map(|field| field.values.iter().copied());
        values.filter(|v| v.is_finite())
    };
    let (low, high) = (
        finite().fold(f64::INFINITY, f64::min),
        finite().fold(f64::NEG_INFINITY, f64::max),
    );
    if low > high {
        return None;
    }
    let ((low, high), signed) = colour_ends(low, high);
    let map = if signed {
        palette::diverging
    } else {
        palette::sequential
    };
    let colour = |v: f64| match v.is_finite() {
        true => map((v - low) / (high - low)),
        false => palette::MISSING,
    };
    let (ticks, power) = tick_labels(&nice_ticks(low, high, 5));
    let bar = Bar {
        ends: (low, high),
        ticks,
        power,
        steps: 128,
    };
    painted(fields, labels, bar, &colour, map)
}

/// The ends of the colour scale for values from `low` to `high`, and whether it lies about zero.
fn colour_ends(low: f64, high: f64) -> ((f64, f64), bool) {
    // Where hardly anything lies beyond zero, half of a scale about zero would stay unused.
    let signed = low < 0.0 && high > 0.0 && (-low).min(high) > LEAST_BEYOND * (-low).max(high);
    let ends = match signed {
        true => (-high.max(-low), high.max(-low)),
        false if low == high => (low - 0.5, high + 0.5),
        false => (low, high),
    };
    (ends, signed)
}

/// The panels of a field whose values are the places of `words`, each in a colour of its own.
pub(super) fn classes(field: Field, labels: &Labels, words: &[&str]) -> Option<Scene> {
    let count = words.len() as f64;
    let place = |v: f64| {
        let inside = v >= 0.0 && v < count;
        inside.then(|| palette::series(v as usize).rgb)
    };
    let bar = Bar {
        ends: (-0.5, count - 0.5),
        ticks: (words.iter().enumerate())
            .map(|(i, word)| (i as f64, (*word).to_owned()))
            .collect(),
        power: 0,
        steps: words.len(),
    };
    let colour = |v: f64| place(v).unwrap_or(palette::MISSING);
    let map = |share: f64| colour((share * count).floor());
    painted(&[field], labels, bar, &colour, map)
}

/// The colour bar: the values at its ends, its ticks, the power of ten taken out of them, and its
/// blocks of colour.
struct Bar {
    ends: (f64, f64),
    ticks: Vec<(f64, String)>,
    power: i32,
    steps: usize,
}

fn painted(
    fields: &[Field],
    labels: &Labels,
    bar: Bar,
    colour: &dyn Fn(f64) -> (u8, u8, u8),
    map: impl Fn(f64) -> (u8, u8, u8),
) -> Option<Scene> {
    let layout = Layout::new(labels, fields, bar)?;
    let mut scene = Scene::new(layout.width, layout.height);
    for (i, field) in fields.iter().enumerate() {
        layout.draw_panel(&mut scene, field, i, colour);
    }
    layout.draw_bar(&mut scene, map);
    Some(scene)
}

fn fields(source: &Source<'_>) -> Result<(Vec<Field>, usize), ReportError> {
    let spec = source.spec;
    let frame = source.frame()?;
    let x_name = source.x()?;
    let y_name =
        (spec.y.first()).ok_or_else(|| source.fault("its spec names no `y`".to_owned()))?;
    let value = source.value()?;
    let x = source.numbers(&frame, x_name)?;
    let y = source.numbers(&frame, y_name)?;
    let values = source.numbers(&frame, value)?;
    let mut keys = Vec::new();
    if let Some(series) = &spec.series {
        source.texts(&frame, series)?;
        keys.push(series.as_str());
    }
    let mut fields = Vec::new();
    let mut most = 0;
    for panel in frame.groups(&keys)? {
        let chosen = |from: &[f64]| -> Vec<f64> { panel.rows.iter().map(|&r| from[r]).collect() };
        let (xs, ys, vs) = (chosen(&x), chosen(&y), chosen(&values));
        let title = (panel.key.first()).map_or(String::new(), |k| source.series_label(k));
        let (field, pooled) = field(title, (&xs, &ys), &vs).map_err(|axis| {
            let name = if axis == 'x' { x_name } else { y_name };
            source.fault(format!("`{name}` does not lie on a regular grid"))
        })?;
        most = most.max(pooled);
        fields.push(field);
    }
    Ok((fields, most))
}

/// Values at points as a field, and the most values that fell on one place.
///
/// The error is the axis, `x` or `y`, that is no regular grid.
pub(super) fn field(
    title: String,
    (xs, ys): (&[f64], &[f64]),
    values: &[f64],
) -> Result<(Field, usize), char> {
    let columns = steps(xs).ok_or('x')?;
    let rows = steps(ys).ok_or('y')?;
    let mut sums = vec![(0.0, 0usize); columns.count * rows.count];
    for ((x, y), v) in xs.iter().zip(ys).zip(values).filter(|(_, v)| v.is_finite()) {
        let cell = &mut sums[rows.place(*y) * columns.count + columns.place(*x)];
        cell.0 += v;
        cell.1 += 1;
    }
    let most = sums.iter().map(|cell| cell.1).max().unwrap_or(0);
    let field = Field {
        title,
        columns: columns.values(),
        rows: rows.values(),
        values: (sums.iter())
            .map(|&(sum, n)| if n == 0 { f64::NAN } else { sum / n as f64 })
            .collect(),
    };
    Ok((field, most))
}

/// The regular grid that all `values` lie on; `None` when there is none of at most 4096 places.
fn steps(values: &[f64]) -> Option<Steps> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let (first, last) = (*sorted.first()?, *sorted.last()?);
    let gaps = sorted.windows(2).map(|pair| pair[1] - pair[0]);
    let step = gaps.fold(f64::INFINITY, f64::min);
    if !step.is_finite() {
        return Some(Steps {
            first,
            step: 1.0,
            count: 1,
        });
    }
    let count = ((last - first) / step).round() as usize + 1;
    let on_grid = |v: &f64| {
        let place = (v - first) / step;
        (place - place.round()).abs() < 1e-3
    };
    (count <= 4096 && sorted.iter().all(on_grid)).then_some(Steps { first, step, count })
}

impl Steps {
    fn place(&self, value: f64) -> usize {
        (((value - self.first) / self.step).round() as usize).min(self.count - 1)
    }

    fn values(&self) -> Vec<f64> {
        (0..self.count)
            .map(|i| self.first + i as f64 * self.step)
            .collect()
    }
}

/// Where panels, axes and the colour bar go.
struct Layout {
    width: f64,
    height: f64,
    panel: (f64, f64),
    count: usize,
    columns: usize,
    left: f64,
    top: f64,
    gap: (f64, f64),
    x_label: String,
    y_label: String,
    bar: Bar,
    bar_label: String,
}

impl Layout {
    fn new(labels: &Labels, fields: &[Field], bar: Bar) -> Option<Self> {
        let first = fields.first()?;
        let aspect = span(&first.rows) / span(&first.columns);
        let columns = match fields.len() {
            // Broad fields stand above one another.
            _ if aspect < 0.35 => 1,
            n @ 1..=3 => n,
            4 => 2,
            _ => 3,
        };
        let panel_rows = fields.len().div_ceil(columns);
        let label = |(name, unit): &(String, String), values: &[f64]| {
            let (_, power) = tick_labels(&[values[0], values[values.len() - 1]]);
            label_with(name, unit, power)
        };
        let (value, unit) = &labels.value;
        let bar_text = bar.ticks.iter().map(|(_, t)| text_width(t, TICK_POINTS));
        let bar_room = 3.0 + 3.6 + 1.6 + bar_text.fold(0.0, f64::max) + 5.6;
        let row_text = nice_ticks(first.rows[0], first.rows[first.rows.len() - 1], 5);
        let row_text = tick_labels(&row_text).0;
        let row_text = row_text.iter().map(|(_, t)| text_width(t, TICK_POINTS));
        let left = 2.5 + LABEL_POINTS * POINT + 1.6 + row_text.fold(0.0, f64::max) + 1.6;
        let total = if columns == 1 && aspect >= 0.35 {
            105.0
        } else {
            180.0
        };
        let gap = 5.0;
        let room = total - left - bar_room - gap * (columns - 1) as f64;
        let mut width = room / columns as f64;
        let mut height = width * aspect;
        let tallest = 150.0 / panel_rows as f64;
        if height > tallest {
            width *= tallest / height;
            height = tallest;
        }
        let titled = fields.iter().any(|field| !field.title.is_empty());
        let top = 2.5 + if titled { 4.6 } else { 0.0 };
        let between = 3.0 + if titled { 4.6 } else { 0.0 };
        let below = 1.6 + TICK_POINTS * POINT + 1.6 + LABEL_POINTS * POINT + 2.5;
        Some(Self {
            width: left + columns as f64 * width + gap * (columns - 1) as f64 + bar_room,
            height: top + panel_rows as f64 * height + between * (panel_rows - 1) as f64 + below,
            panel: (width, height),
            count: fields.len(),
            columns,
            left,
            top,
            gap: (gap, between),
            x_label: label(&labels.x, &first.columns),
            y_label: label(&labels.y, &first.rows),
            bar_label: label_with(value, unit, bar.power),
            bar,
        })
    }

    fn corner(&self, i: usize) -> (f64, f64) {
        let (column, row) = (i % self.columns, i / self.columns);
        (
            self.left + column as f64 * (self.panel.0 + self.gap.0),
            self.top + row as f64 * (self.panel.1 + self.gap.1),
        )
    }

    fn draw_panel(
        &self,
        scene: &mut Scene,
        field: &Field,
        i: usize,
        colour: &dyn Fn(f64) -> (u8, u8, u8),
    ) {
        let (x0, y0) = self.corner(i);
        let (width, height) = self.panel;
        scene.shapes.push(Shape::Cells {
            corner: (x0, y0),
            size: (width, height),
            columns: field.columns.len(),
            rows: field.rows.len(),
            cells: field.values.iter().map(|&v| colour(v)).collect(),
        });
        let (x1, y1) = (x0 + width, y0 + height);
        let frame = vec![(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)];
        scene.line(frame, INK, AXIS_WIDTH);
        if !field.title.is_empty() {
            scene.bold_text((x0 + width / 2.0, y0 - 1.6), &field.title, LABEL_POINTS);
        }
        if i + self.columns >= self.count {
            for (value, text) in ticks_of(&field.columns, width) {
                let x = x0 + width * cell_share(&field.columns, value);
                scene.line(vec![(x, y1), (x, y1 + 1.0)], INK, AXIS_WIDTH);
                let baseline = y1 + 1.6 + 0.75 * TICK_POINTS * POINT;
                scene.text((x, baseline), &text, TICK_POINTS, Anchor::Middle);
            }
            let baseline = y1 + 3.2 + (TICK_POINTS + 0.78 * LABEL_POINTS) * POINT;
            scene.text(
                (x0 + width / 2.0, baseline),
                &self.x_label,
                LABEL_POINTS,
                Anchor::Middle,
            );
        }
        if i.is_multiple_of(self.columns) {
            for (value, text) in ticks_of(&field.rows, height) {
                let y = y0 + height * cell_share(&field.rows, value);
                scene.line(vec![(x0 - 1.0, y), (x0, y)], INK, AXIS_WIDTH);
                let baseline = y + 0.36 * TICK_POINTS * POINT;
                scene.text((x0 - 1.6, baseline), &text, TICK_POINTS, Anchor::End);
            }
            let baseline = 2.5 + 0.78 * LABEL_POINTS * POINT;
            scene.turned_text((baseline, y0 + height / 2.0), &self.y_label, LABEL_POINTS);
        }
    }

    fn draw_bar(&self, scene: &mut Scene, map: impl Fn(f64) -> (u8, u8, u8)) {
        let (low, high) = self.bar.ends;
        let (x0, y0) = (
            self.left + self.columns as f64 * (self.panel.0 + self.gap.0) - self.gap.0 + 3.0,
            self.top,
        );
        let rows = self.count.div_ceil(self.columns) as f64;
        let all = rows * self.panel.1 + (rows - 1.0) * self.gap.1;
        let (width, height) = (3.6, all.min(90.0));
        let steps = self.bar.steps;
        scene.shapes.push(Shape::Cells {
            corner: (x0, y0),
            size: (width, height),
            columns: 1,
            rows: steps,
            cells: (0..steps)
                .map(|i| map(1.0 - (i as f64 + 0.5) / steps as f64))
                .collect(),
        });
        let (x1, y1) = (x0 + width, y0 + height);
        let frame = vec![(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)];
        scene.line(frame, INK, AXIS_WIDTH);
        for (value, text) in &self.bar.ticks {
            let y = y1 - height * (value - low) / (high - low);
            scene.line(vec![(x1, y), (x1 + 1.0, y)], INK, AXIS_WIDTH);
            let baseline = y + 0.36 * TICK_POINTS * POINT;
            scene.text((x1 + 1.6, baseline), text, TICK_POINTS, Anchor::Start);
        }
        let baseline = self.width - 1.2 - 0.22 * LABEL_POINTS * POINT;
        scene.turned_text((baseline, y0 + height / 2.0), &self.bar_label, LABEL_POINTS);
    }
}

/// Extent of a grid axis, its outer half cells included.
fn span(values: &[f64]) -> f64 {
    match values {
        [a, b, ..] => (b - a) * values.len() as f64,
        _ => 1.0,
    }
}

/// Place of a value within a panel, `0..=1`; cells have their value in the middle.
fn cell_share(values: &[f64], value: f64) -> f64 {
    let step = if values.len() > 1 {
        values[1] - values[0]
    } else {
        1.0
    };
    ((value - values[0]) / step + 0.5) / values.len() as f64
}

fn ticks_of(values: &[f64], length: f64) -> Vec<(f64, String)> {
    let count = ((length / 14.0) as usize).clamp(2, 6);
    let ticks = match values {
        [] => Vec::new(),
        [one] => vec![*one],
        // One tick alone gives no scale.
        [first, .., last] => (count..=6)
            .map(|count| nice_ticks(*first, *last, count))
            .find(|ticks| ticks.len() > 1)
            .unwrap_or_else(|| vec![*first]),
    };
    tick_labels(&ticks).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_on_one_side_of_zero_uses_the_whole_scale() {
        assert_eq!(colour_ends(-2.0, 1.0), ((-2.0, 2.0), true));
        assert_eq!(colour_ends(-0.05, 1.0), ((-0.05, 1.0), false));
        assert_eq!(colour_ends(0.3, 0.9), ((0.3, 0.9), false));
        assert_eq!(colour_ends(-3.0, 0.1), ((-3.0, 0.1), false));
        assert_eq!(colour_ends(4.0, 4.0), ((3.5, 4.5), false));
    }
}
