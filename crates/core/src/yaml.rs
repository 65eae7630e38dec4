//! YAML as a tree in which every value knows its place.
//!
//! Specs and manifests are checked against tables that only exist at run time, and every fault is
//! wanted at once with file, line and column. A typed deserialiser stops at the first, so files
//! that people write are read into this tree and then taken apart by what [`crate::keys`] declares.
//! Files that only retrial writes are read with serde.
//!
//! Scalars follow the YAML 1.2 core schema. Bounded: [`MAX_BYTES`] of text, [`MAX_NODES`] nodes
//! after aliases are expanded, [`MAX_DEPTH`] levels.

mod scalar;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle};

use self::scalar::{ambiguous, is_whole, plain_scalar};
use crate::fault::{Fault, Faults, Place};

/// Largest file that is read, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Most nodes of a file, aliases expanded.
pub const MAX_NODES: usize = 20_000;
/// Deepest nesting of a file.
pub const MAX_DEPTH: usize = 32;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it was written.
    pub place: Place,
}

/// What a [`Node`] holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction or an exponent, `.inf` or `.nan`.
    Float(f64),
    /// Anything else, and everything in quotes.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in written order, without duplicate keys.
    Map(Vec<Entry>),
}

/// One `key: value` of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key was written.
    pub place: Place,
    /// The value.
    pub node: Node,
}

impl Node {
    /// What kind of value this is, as a person would say it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a truth value",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The kind, and the value where it is a scalar.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Bool(value) => format!("the truth value `{value}`"),
            Value::Int(value) => format!("the whole number `{value}`"),
            Value::Float(value) => format!("the number `{value}`"),
            Value::Text(value) => {
                unlike_text(value).unwrap_or_else(|| format!("the text {value:?}"))
            }
            Value::Null | Value::List(_) | Value::Map(_) => self.kind().to_owned(),
        }
    }

    /// The value at `key` of a mapping.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|e| e.key == key).map(|e| &e.node),
            _ => None,
        }
    }
}

/// What to call text that looks like another kind of value: one in quotes, or a whole number beyond
/// the largest.
pub(crate) fn unlike_text(text: &str) -> Option<String> {
    match plain_scalar(text) {
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
            Some(format!("the quoted text {text:?}"))
        }
        _ if is_whole(text) => {
            let most = i64::MAX;
            Some(format!("`{text}`, where whole numbers end at {most}"))
        }
        _ => None,
    }
}

/// The text of a file that a person wrote.
///
/// # Errors
/// What the system says, or that it is no file, that it is too large, or that it is no UTF-8.
pub fn read_file(path: &Path) -> io::Result<String> {
    crate::file::text(path, MAX_BYTES as u64)
}

/// Reads one YAML document.
///
/// # Errors
/// Every fault of the text: syntax, duplicate keys, keys that are not text, several documents,
/// or a limit exceeded.
pub fn parse(file: &str, text: &str) -> Result<Node, Vec<Fault>> {
    let file: Arc<str> = file.into();
    let start = Place {
        file: file.clone(),
        line: 1,
        column: 1,
    };
    let mut faults = Faults::default();
    if text.len() > MAX_BYTES {
        faults.add_with_help(
            &start,
            "",
            format!("the file has {} bytes", text.len()),
            format!("at most {MAX_BYTES} are read"),
        );
        return faults.into_result(None);
    }
    let mut builder = Builder {
        events: Parser::new_from_str(text),
        file,
        faults,
        anchors: HashMap::new(),
        nodes: 0,
    };
    let node = builder.document();
    let mut faults = builder.faults;
    if let Ok(Some(_)) = &node {
    } else if let Err(fault) = &node {
        faults.extend([fault.clone()]);
    } else {
        faults.add(&start, "", "the file holds no YAML document");
    }
    faults.into_result(node.ok().flatten())
}

struct Builder<'t, I: granit_parser::BorrowedInput<'t>> {
    events: Parser<'t, I>,
    file: Arc<str>,
    faults: Faults,
    /// Anchored nodes with the number of nodes they hold.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

impl<'t, I: granit_parser::BorrowedInput<'t>> Builder<'t, I> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Place)>, Fault> {
        loop {
            let Some(event) = self.events.next() else {
                return Ok(None);
            };
            let (event, span) = event.map_err(|error| Fault {
                place: Place {
                    file: self.file.clone(),
                    line: error.marker().line(),
                    column: error.marker().col() + 1,
                },
                key: String::new(),
                message: format!("not YAML: {}", error.info()),
                help: None,
            })?;
            if matches!(event, Event::Comment(..)) {
                continue;
            }
            let place = Place {
                file: self.file.clone(),
                line: span.start.line(),
                column: span.start.col() + 1,
            };
            return Ok(Some((event, place)));
        }
    }

    /// The one document of the stream, or `None` where there is none.
    fn document(&mut self) -> Result<Option<Node>, Fault> {
        let mut root = None;
        while let Some((event, place)) = self.next()? {
            match event {
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                Event::StreamEnd => break,
                event => {
                    if root.is_some() {
                        return Err(fault(&place, "", "a second YAML document begins here"));
                    }
                    root = Some(self.node(event, place, "", 0)?);
                }
            }
        }
        Ok(root)
    }

    fn node(
        &mut self,
        event: Event<'t>,
        place: Place,
        key: &str,
        depth: usize,
    ) -> Result<Node, Fault> {
        if depth > MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            return Err(fault(&place, key, &message));
        }
        self.count(1, &place, key)?;
        let before = self.nodes;
        let (value, anchor, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                if text
                    .chars()
                    .any(|c| c.is_control() && c != '\n' && c != '\t')
                {
                    self.faults.add(&place, key, "a control character");
                }
                let value = if style == ScalarStyle::Plain {
                    if let Some(help) = ambiguous(&text) {
                        let message = format!("`{text}` has two meanings");
                        self.faults.add_with_help(&place, key, message, help);
                    }
                    plain_scalar(&text)
                } else {
                    Value::Text(text.into_owned())
                };
                (value, anchor, tag)
            }
            Event::SequenceStart(_, anchor, tag) => (self.list(key, depth)?, anchor, tag),
            Event::MappingStart(_, anchor, tag) => (self.map(key, depth)?, anchor, tag),
            Event::Alias(anchor) => {
                let (node, held) = self
                    .anchors
                    .get(&anchor)
                    .cloned()
                    .ok_or_else(|| fault(&place, key, "an alias that refers to itself"))?;
                self.count(held, &place, key)?;
                return Ok(node);
            }
            _ => return Err(fault(&place, key, "not YAML: a value is missing here")),
        };
        if tag.is_some() {
            self.faults
                .add_with_help(&place, key, "YAML tags are not used", "leave the tag out");
        }
        let node = Node { value, place };
        if anchor != 0 {
            self.anchors
                .insert(anchor, (node.clone(), self.nodes - before));
        }
        Ok(node)
    }

    fn count(&mut self, more: usize, place: &Place, key: &str) -> Result<(), Fault> {
        self.nodes += more;
        if self.nodes > MAX_NODES {
            let message = format!("more than {MAX_NODES} values once aliases are expanded");
            return Err(fault(place, key, &message));
        }
        Ok(())
    }

    fn list(&mut self, key: &str, depth: usize) -> Result<Value, Fault> {
        let mut items = Vec::new();
        while let Some((event, place)) = self.next()? {
            if event == Event::SequenceEnd {
                break;
            }
            let item_key = format!("{key}[{}]", items.len());
            items.push(self.node(event, place, &item_key, depth + 1)?);
        }
        Ok(Value::List(items))
    }

    fn map(&mut self, key: &str, depth: usize) -> Result<Value, Fault> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut places: HashMap<String, Place> = HashMap::new();
        while let Some((event, place)) = self.next()? {
            if event == Event::MappingEnd {
                break;
            }
            let Event::Scalar(name, style, ..) = event else {
                return Err(fault(&place, key, "a key must be plain text"));
            };
            let is_merge = style == ScalarStyle::Plain && name == "<<";
            let name = name.into_owned();
            let full = join(key, &name);
            let Some((event, value_place)) = self.next()? else {
                break;
            };
            let node = self.node(event, value_place, &full, depth + 1)?;
            if is_merge {
                let help = "YAML 1.2 has none: write the keys out; a spec takes over the keys of \
                            another one with `extends`";
                self.faults
                    .add_with_help(&place, &full, "`<<` is a merge key", help);
                continue;
            }
            if let Some(first) = places.get(&name) {
                let help = format!("it stands at line {} already", first.line);
                self.faults
                    .add_with_help(&place, &full, "a duplicate key", help);
                continue;
            }
            places.insert(name.clone(), place.clone());
            entries.push(Entry {
                key: name,
                place,
                node,
            });
        }
        Ok(Value::Map(entries))
    }
}

fn fault(place: &Place, key: &str, message: &str) -> Fault {
    Fault {
        place: place.clone(),
        key: key.to_owned(),
        message: message.to_owned(),
        help: None,
    }
}

/// `parent.name`, or `name` at the root and `parent` without a name.
#[must_use]
pub fn join(parent: &str, name: &str) -> String {
    match (parent, name) {
        ("", one) | (one, "") => one.to_owned(),
        _ => format!("{parent}.{name}"),
    }
}

/// The text of a node; a number or truth value without quotes is a fault that says so.
pub fn text(node: &Node, path: &str, faults: &mut Faults) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        _ => {
            expected(node, path, "text", faults);
            None
        }
    }
}

/// The finite number of a node.
pub fn number(node: &Node, path: &str, faults: &mut Faults) -> Option<f64> {
    match node.value {
        Value::Int(value) => Some(value as f64),
        Value::Float(value) if value.is_finite() => Some(value),
        Value::Float(value) => {
            faults.add(
                &node.place,
                path,
                format!("expected a finite number, found `{value}`"),
            );
            None
        }
        _ => {
            expected(node, path, "a number", faults);
            None
        }
    }
}

/// The whole number of zero or more of a node.
pub fn whole(node: &Node, path: &str, faults: &mut Faults) -> Option<u64> {
    match node.value {
        Value::Int(value) if value >= 0 => Some(value.unsigned_abs()),
        _ => {
            expected(node, path, "a whole number of zero or more", faults);
            None
        }
    }
}

/// The truth value of a node.
pub fn flag(node: &Node, path: &str, faults: &mut Faults) -> Option<bool> {
    match node.value {
        Value::Bool(value) => Some(value),
        _ => {
            expected(node, path, "true or false", faults);
            None
        }
    }
}

/// The items of a list node.
pub fn list<'n>(node: &'n Node, path: &str, faults: &mut Faults) -> Option<&'n [Node]> {
    match &node.value {
        Value::List(items) => Some(items),
        _ => {
            expected(node, path, "a list", faults);
            None
        }
    }
}

fn expected(node: &Node, path: &str, what: &str, faults: &mut Faults) {
    let message = format!("expected {what}, found {}", node.describe());
    faults.add(&node.place, path, message);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(text: &str) -> Vec<String> {
        let faults = parse("t.yaml", text).expect_err("a fault");
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn scalars_follow_the_core_schema() {
        let node = parse(
            "t.yaml",
            "[1, -2, 1e-3, 0.5, true, ~, 1.2.3, \"1\", yes, .inf, 1e]",
        )
        .expect("valid");
        let Value::List(items) = node.value else {
            panic!("a list")
        };
        let values: Vec<Value> = items.into_iter().map(|item| item.value).collect();
        let text = |t: &str| Value::Text(t.to_owned());
        assert_eq!(
            values,
            [
                Value::Int(1),
                Value::Int(-2),
                Value::Float(1e-3),
                Value::Float(0.5),
                Value::Bool(true),
                Value::Null,
                text("1.2.3"),
                text("1"),
                text("yes"),
                Value::Float(f64::INFINITY),
                text("1e"),
            ]
        );
    }

    #[test]
    fn whole_numbers_of_other_bases_are_those_of_yaml_1_2() {
        let scalars = [
            ("0o10", Value::Int(8)),
            ("0x1F", Value::Int(31)),
            ("0x", Value::Text("0x".to_owned())),
            ("0o8", Value::Text("0o8".to_owned())),
            ("-0x10", Value::Text("-0x10".to_owned())),
            (
                "0xffffffffffffffff",
                Value::Text("0xffffffffffffffff".to_owned()),
            ),
            ("0", Value::Int(0)),
            ("0.5", Value::Float(0.5)),
            ("1_000", Value::Text("1_000".to_owned())),
        ];
        for (text, value) in scalars {
            let node = parse("t.yaml", &format!("a: {text}")).expect("valid");
            assert_eq!(node.get("a").map(|a| &a.value), Some(&value), "{text}");
        }
        assert_eq!(
            faults_of("a: 010\nb: [-017, 08]\nc: \"010\"\n010: 1\n"),
            [
                "t.yaml:1:4: a: `010` has two meanings; write 10 for the decimal number, 8 for \
                 the octal number (0o10), or \"010\" for text",
                "t.yaml:2:5: b[0]: `-017` has two meanings; write -17 for the decimal number, -15 \
                 for the octal number (0o17), or \"-017\" for text",
                "t.yaml:2:11: b[1]: `08` has two meanings; write 8 for the decimal number, or \
                 \"08\" for text",
            ]
        );
    }

    #[test]
    fn a_number_in_quotes_and_one_beyond_the_largest_are_called_so() {
        let node = parse("t.yaml", "a: \"1e-3\"\nb: 9223372036854775808\nc: word\n");
        let node = node.expect("valid YAML");
        let mut faults = Faults::default();
        let of = |key: &str| node.get(key).expect("it is there");
        assert_eq!(number(of("a"), "a", &mut faults), None);
        assert_eq!(whole(of("b"), "b", &mut faults), None);
        assert_eq!(number(of("c"), "c", &mut faults), None);
        let faults = faults.into_result(Some(())).expect_err("three faults");
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "t.yaml:1:4: a: expected a number, found the quoted text \"1e-3\"",
                "t.yaml:2:4: b: expected a whole number of zero or more, found \
                 `9223372036854775808`, where whole numbers end at 9223372036854775807",
                "t.yaml:3:4: c: expected a number, found the text \"word\"",
            ]
        );
    }

    #[test]
    fn a_merge_key_is_refused_by_its_name() {
        let faults = faults_of("base: &base {a: 1}\nchild:\n  <<: *base\n  b: 2\n");
        assert_eq!(faults.len(), 1);
        assert!(faults[0].starts_with("t.yaml:3:3: child.<<: `<<` is a merge key"));
        assert!(
            parse("t.yaml", "\"<<\": 1").is_ok(),
            "text in quotes is text"
        );
    }

    #[test]
    fn places_are_counted_from_one() {
        let node = parse("t.yaml", "a: 1\nb:\n  c: 2\n").expect("valid");
        let c = node.get("b").and_then(|b| b.get("c")).expect("b.c");
        assert_eq!((c.place.line, c.place.column), (3, 6));
    }

    #[test]
    fn every_duplicate_is_named_with_its_first() {
        assert_eq!(
            faults_of("a: 1\nb: {c: 1, c: 2}\na: 2\n"),
            [
                "t.yaml:2:11: b.c: a duplicate key; it stands at line 2 already",
                "t.yaml:3:1: a: a duplicate key; it stands at line 1 already",
            ]
        );
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let before = format!("*a{}", level - 1);
            let items = [before.as_str(); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        assert!(faults_of(&text)[0].contains("more than 20000 values"));
    }

    #[test]
    fn limits_and_syntax_are_faults() {
        assert!(faults_of("a: [1, 2\nb: 3")[0].contains("not YAML"));
        assert!(faults_of("")[0].contains("no YAML document"));
        assert!(faults_of("a: 1\n---\nb: 2\n")[0].contains("second YAML document"));
        let nested = format!("{}{}", "[".repeat(50), "]".repeat(50));
        assert!(faults_of(&nested)[0].contains("nested deeper"));
        assert!(faults_of(&" ".repeat(MAX_BYTES + 1))[0].contains("at most 1048576"));
        assert!(faults_of("a: \"\\e[31mred\"")[0].contains("a control character"));
        assert!(faults_of("a: &x [*x]")[0].contains("refers to itself"));
        assert!(faults_of("? [a, b]\n: 1")[0].contains("key must be plain text"));
        assert!(faults_of("a: !!python/object 1")[0].contains("tags are not used"));
    }
}
