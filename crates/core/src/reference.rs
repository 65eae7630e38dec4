//! Pages of reference as Markdown: of mappings whose keys are declared, and of what studies declare.

use serde_json::Value as Json;

use crate::keys::{Form, Key, Kind, Kinds, MapDef};
use crate::metric::{Direction, MetricDef, TableDef};
use crate::params::Param;
use crate::spec::keys::{SpacedKeys, SpecKeys};
use crate::study::StudyInfo;

/// The page of specs: their keys and kinds of figure, and the params, metrics and tables of the studies.
#[must_use]
pub fn specs(studies: &[&'static StudyInfo], figures: &[Kind]) -> String {
    let mut page = "# Reference of specs\n\nWhat an experiment can say, and what its trials tell. \
                    [README.md](README.md) says how to use it.\n\n- [Keys](#keys)\n"
        .to_owned();
    for study in studies {
        let heading = heading_of(study);
        page.push_str(&format!("- [{heading}](#{})\n", anchor(&heading)));
    }
    page.push_str("\n## Keys\n");
    let roots = [("", SpecKeys::MAP), ("sweep.PARAM", SpacedKeys::MAP)];
    page.push_str(&maps_of(&roots, Kinds(figures)));
    for study in studies {
        page.push_str(&study_section(study));
    }
    page
}

/// Sections of mappings and of those within, each with its keys in a table; the path of the first section is its
/// heading, where it is not empty.
#[must_use]
pub fn maps(roots: &[(&str, &'static MapDef)]) -> String {
    maps_of(roots, Kinds(&[]))
}

/// As [`maps`]; a mapping that says its kind is one of `kinds`.
fn maps_of(roots: &[(&str, &'static MapDef)], kinds: Kinds<'_>) -> String {
    let mut sections = Vec::new();
    for (path, map) in roots {
        collect(path, map, &mut sections);
    }
    let mut page = String::new();
    let mut last = "";
    for (path, map) in &sections {
        if path != last {
            page.push_str(&format!("\n### `{path}`\n"));
        }
        last = path;
        page.push_str(&format!("\n{}\n\n", cell(map.doc)));
        let kinds = match map.has_kinds() {
            true => kinds,
            false => Kinds(&[]),
        };
        let rows = map.keys.iter().map(|key| key_row(key, kinds, &sections));
        page.push_str(&table(
            &["key", "value", "needed", "default", "meaning"],
            rows,
        ));
    }
    page
}

/// The path and the keys of a mapping.
type Section = (String, &'static MapDef);

/// A mapping and those in its values, each once, with their paths.
fn collect(path: &str, map: &'static MapDef, sections: &mut Vec<Section>) {
    if place_of(map, sections).is_some() {
        return;
    }
    sections.push((path.to_owned(), map));
    for key in map.keys {
        for (inner, end) in maps_in(&(key.form)(), "") {
            let path = crate::yaml::join(path, key.name);
            collect(&format!("{path}{end}"), inner, sections);
        }
    }
}

/// The mappings that a form has, and what stands behind the path of each.
fn maps_in(form: &Form, end: &'static str) -> Vec<(&'static MapDef, &'static str)> {
    match form {
        Form::Keys(map) => vec![(*map, end)],
        Form::List(items, _) | Form::OneOrMore(items) => maps_in(items, "[]"),
        Form::Either(forms) => forms.iter().flat_map(|form| maps_in(form, end)).collect(),
        _ => Vec::new(),
    }
}

/// The path of the section of a mapping.
fn place_of<'s>(map: &MapDef, sections: &'s [Section]) -> Option<&'s str> {
    let names = |map: &MapDef| -> Vec<&str> { map.keys.iter().map(|key| key.name).collect() };
    let same = |own: &MapDef| own.doc == map.doc && names(own) == names(map);
    let found = sections.iter().find(|(_, own)| same(own));
    found.map(|(path, _)| path.as_str())
}

fn key_row(key: &Key, kinds: Kinds<'_>, sections: &[Section]) -> Vec<String> {
    let form = match (key.form)() {
        Form::Kind => kinds.form(),
        form => form,
    };
    let needing = kinds.needing(key.name);
    let needed = match key.needed {
        true => "yes".to_owned(),
        false if key.one => "one of these".to_owned(),
        false if needing.is_empty() => String::new(),
        false => format!("by {}", coded(&needing)),
    };
    let default = key.default.map(|default| match default() {
        Json::String(word) => format!("`{word}`"),
        value => format!("`{value}`"),
    });
    let mut meaning = meaning(key.doc, &form);
    let taking = kinds.taking(key.name);
    if !taking.is_empty() {
        meaning.push_str(&format!(" Only of {}.", coded(&taking)));
    }
    vec![
        format!("`{}`", key.name),
        value(&form, sections),
        needed,
        default.unwrap_or_default(),
        meaning,
    ]
}

/// What a value may be, with a link where it is a mapping.
fn value(form: &Form, sections: &[Section]) -> String {
    let linked = |form: &Form, words: &str| {
        let inner = maps_in(form, "");
        let path = inner.first().and_then(|(map, _)| place_of(map, sections));
        path.map(|path| format!("[{words}](#{})", anchor(path)))
    };
    match form {
        Form::Word(words) => {
            let words: Vec<&str> = words.iter().map(|own| own.word).collect();
            coded(&words)
        }
        Form::Bool => coded(&["true", "false"]),
        Form::Fixed(own) => format!("`{own}`"),
        Form::Either(forms) => {
            let mut values: Vec<String> = forms.iter().map(|form| value(form, sections)).collect();
            values.dedup();
            values.join(", or ")
        }
        Form::Keys(_) => linked(form, "a mapping").unwrap_or_default(),
        Form::List(..) => linked(form, "a list of mappings").unwrap_or_else(|| form.expected()),
        other => other.expected(),
    }
}

/// What a key or a param means, and what its words do.
fn meaning(doc: &str, form: &Form) -> String {
    let mut meaning = doc.to_owned();
    if let Form::Word(words) = form {
        for own in words.iter().filter(|own| !own.doc.is_empty()) {
            meaning.push_str(&format!(" `{}`: {}", own.word, own.summary()));
        }
    }
    meaning
}

fn heading_of(study: &StudyInfo) -> String {
    format!("The study {}", study.name)
}

fn study_section(study: &StudyInfo) -> String {
    let repeats = match study.deterministic {
        true => "without randomness",
        false => "with randomness",
    };
    let device = match study.uses_device {
        true => "on the CPU or, with `--device`, on a graphics card",
        false => "on the CPU",
    };
    let data = match study.content_kinds {
        [] => "It takes no data set.".to_owned(),
        kinds => format!("It takes {}.", kinds.join(" or ")),
    };
    let mut section = format!(
        "\n## {}\n\n{}.\n\nRevision {}, {repeats}, {device}. {data}\n\n### Params of {}\n\n",
        heading_of(study),
        study.work,
        study.revision,
        study.name,
    );
    let header = ["param", "value", "default", "meaning"];
    section.push_str(&table(&header, study.params.iter().map(param_row)));
    section.push_str(&format!("\n### Metrics of {}\n\n", study.name));
    let header = ["metric", "unit", "better", "meaning"];
    section.push_str(&table(&header, study.metrics.iter().map(metric_row)));
    section.push_str(&format!("\n### Tables of {}\n", study.name));
    for own in study.tables {
        section.push_str(&table_section(own));
    }
    section
}

fn param_row(param: &Param) -> Vec<String> {
    let form = Form::from(param.kind);
    let unit = match param.unit {
        "" => String::new(),
        unit => format!(", {unit}"),
    };
    vec![
        format!("`{}`", param.name),
        format!("{}{unit}", value(&form, &[])),
        format!("`{}`", param.default.value()),
        meaning(param.doc, &form),
    ]
}

fn metric_row(metric: &MetricDef) -> Vec<String> {
    let better = match metric.direction {
        Direction::Higher => "higher",
        Direction::Lower => "lower",
        Direction::Zero => "nearer to zero",
        Direction::None => "",
    };
    let measured = match metric.repeatable {
        true => "",
        false => " Two runs of one trial differ in it, so it enters no hash.",
    };
    vec![
        format!("`{}`", metric.name),
        metric.unit.to_owned(),
        better.to_owned(),
        format!("{}{measured}", metric.doc),
    ]
}

fn table_section(own: &TableDef) -> String {
    let columns = own.columns.iter().map(|column| {
        let name = format!("`{}`", column.name);
        vec![name, column.unit.to_owned(), column.doc.to_owned()]
    });
    let header = ["column", "unit", "meaning"];
    format!(
        "\n`{}`: {}\n\n{}",
        own.name,
        own.doc,
        table(&header, columns)
    )
}

fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| {
        let cells = cells.iter().map(|own| match own.is_empty() {
            true => " ".to_owned(),
            false => format!(" {} ", cell(own)),
        });
        format!("|{}|\n", cells.collect::<Vec<_>>().join("|"))
    };
    let header: Vec<String> = header.iter().map(|own| (*own).to_owned()).collect();
    let mut table = line(&header);
    table.push_str(&format!("{}|\n", "| --- ".repeat(header.len())));
    for row in rows {
        table.push_str(&line(&row));
    }
    table
}

/// Text as it stands in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Words as code, separated by commas.
fn coded(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

/// The anchor that a heading gets where Markdown is shown.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_links_every_mapping_and_keeps_pipes_in_their_cells() {
        let heat = Kind {
            word: "heat",
            doc: "A field.",
            needs: &["table"],
            takes: &[],
        };
        let scatter = Kind {
            word: "scatter",
            needs: &[],
            takes: &["table", "labels"],
            ..heat
        };
        let kinds = [heat, scatter];
        let page = maps_of(&[("", SpecKeys::MAP)], Kinds(&kinds));
        assert!(
            page.contains("| `claims` | [a list of mappings](#claims) |"),
            "{page}"
        );
        assert!(page.contains("### `claims[].expect.ordering`\n"));
        assert!(
            page.contains("| `tables` | [a list of mappings](#reporttable) |"),
            "one section"
        );
        assert!(page.contains("| `kind` | `heat`, `scatter` | yes |"));
        assert!(page.contains("| by `heat` |"));
        assert!(page.contains("Only of `scatter`."));
        let row = vec!["Σ|x|".to_owned(), String::new(), "b".to_owned()];
        let table = table(&["a", "unit", "c"], [row].into_iter());
        assert_eq!(
            table,
            "| a | unit | c |\n| --- | --- | --- |\n| Σ\\|x\\| | | b |\n"
        );
        assert_eq!(anchor("claims[].expect"), "claimsexpect");
    }
}
