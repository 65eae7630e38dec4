//! The part of Python's pickle that a state dict is made of.
//!
//! # Source
//! Python's `pickletools`, protocol 2.

use retrial_core::census::count;
use std::collections::HashMap;
use std::rc::Rc;

/// Most values that one pickle may build.
const MAX_VALUES: usize = 1 << 22;
/// Deepest nesting of values.
const MAX_DEPTH: usize = 32;

/// A value; sharing keeps a pickle that repeats itself small.
#[derive(Clone, Debug)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Text(Rc<str>),
    /// A tuple or a list.
    Sequence(Rc<Vec<Value>>),
    /// A dict, in order.
    Dict(Rc<Vec<(Value, Value)>>),
    /// A name that is known, and never called.
    Global(Global),
    /// What a persistent id stands for.
    Storage(Rc<Vec<Value>>),
    /// A tensor that is to be built from these.
    Tensor(Rc<Vec<Value>>),
}

/// The names that may stand in a state dict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    /// A storage of this kind of number.
    Numbers(Numbers),
}

/// The kind of number in a storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
    F16,
    Bf16,
    F32,
    F64,
    /// Whole numbers or truth values of so many bytes.
    Whole(usize),
}

impl Global {
    fn named(module: &str, name: &str) -> Result<Self, String> {
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", "FloatStorage") => Self::Numbers(Numbers::F32),
            ("torch", "DoubleStorage") => Self::Numbers(Numbers::F64),
            ("torch", "HalfStorage") => Self::Numbers(Numbers::F16),
            ("torch", "BFloat16Storage") => Self::Numbers(Numbers::Bf16),
            ("torch", "LongStorage") => Self::Numbers(Numbers::Whole(8)),
            ("torch", "IntStorage") => Self::Numbers(Numbers::Whole(4)),
            ("torch", "ShortStorage") => Self::Numbers(Numbers::Whole(2)),
            ("torch", "ByteStorage" | "CharStorage" | "BoolStorage") => {
                Self::Numbers(Numbers::Whole(1))
            }
            _ => {
                return Err(format!(
                    "it holds a `{module}.{name}`; only a state dict of tensors is read"
                ));
            }
        })
    }
}

/// Something on the stack; a value with how deep it is nested, because to drop a value descends.
enum Item {
    Mark,
    Value(Value, usize),
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Item>,
    memo: HashMap<u32, (Value, usize)>,
    built: usize,
}

/// Reads one pickle; gives its value and the bytes it took.
pub(super) fn read(bytes: &[u8]) -> Result<(Value, usize), String> {
    let mut machine = Machine {
        bytes,
        at: 0,
        stack: Vec::new(),
        memo: HashMap::new(),
        built: 0,
    };
    loop {
        let at = machine.at;
        let [instruction] = machine.take()?;
        if instruction == b'.' {
            let (value, _) = machine.pop()?;
            return Ok((value, machine.at));
        }
        machine
            .step(instruction)
            .map_err(|what| format!("the pickle at byte {at}: {what}"))?;
    }
}

impl Machine<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let chunk = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<N>);
        self.at += N;
        chunk.copied().ok_or_else(|| self.breaks_off())
    }

    fn take_slice(&mut self, length: usize) -> Result<&[u8], String> {
        let end = self.at.checked_add(length);
        let found = end.and_then(|end| self.bytes.get(self.at..end));
        self.at = self.at.saturating_add(length);
        found.ok_or_else(|| {
            format!(
                "the pickle breaks off after {}",
                count(self.bytes.len(), "byte")
            )
        })
    }

    fn breaks_off(&self) -> String {
        format!(
            "the pickle breaks off after {}",
            count(self.bytes.len(), "byte")
        )
    }

    /// A line of text up to its line end.
    fn line(&mut self) -> Result<String, String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().take(200).position(|&byte| byte == b'\n');
        let end = end.ok_or("a name without an end")?;
        self.at += end + 1;
        Ok(String::from_utf8_lossy(&rest[..end]).into_owned())
    }

    /// Puts a value without values inside on the stack.
    fn push(&mut self, value: Value) -> Result<(), String> {
        self.push_deep(value, 0)
    }

    fn push_deep(&mut self, value: Value, depth: usize) -> Result<(), String> {
        self.built += 1;
        too_many(self.built)?;
        too_deep(depth)?;
        self.stack.push(Item::Value(value, depth));
        Ok(())
    }

    fn pop(&mut self) -> Result<(Value, usize), String> {
        match self.stack.pop() {
            Some(Item::Value(value, depth)) => Ok((value, depth)),
            Some(Item::Mark) | None => Err("a value is missing".to_owned()),
        }
    }

    /// The values above the last mark, which goes, and the depth of the deepest.
    fn pop_to_mark(&mut self) -> Result<(Vec<Value>, usize), String> {
        let (mut values, mut deepest) = (Vec::new(), 0);
        loop {
            match self.stack.pop() {
                Some(Item::Value(value, depth)) => {
                    deepest = deepest.max(depth);
                    values.push(value);
                }
                Some(Item::Mark) => break,
                None => return Err("a mark is missing".to_owned()),
            }
        }
        values.reverse();
        Ok((values, deepest))
    }

    fn tuple(&mut self, length: usize) -> Result<(), String> {
        let (mut values, mut deepest) = (Vec::new(), 0);
        for _ in 0..length {
            let (value, depth) = self.pop()?;
            deepest = deepest.max(depth);
            values.push(value);
        }
        values.reverse();
        self.push_deep(Value::Sequence(Rc::new(values)), deepest + 1)
    }

    fn step(&mut self, instruction: u8) -> Result<(), String> {
        match instruction {
            // PROTO and its version, which changes nothing that is read here.
            0x80 => self.take::<1>().map(|_| ()),
            b'(' => {
                self.stack.push(Item::Mark);
                Ok(())
            }
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'K' => {
                let [value] = self.take()?;
                self.push(Value::Int(value.into()))
            }
            b'M' => {
                let value = u16::from_le_bytes(self.take()?);
                self.push(Value::Int(value.into()))
            }
            b'J' => {
                let value = i32::from_le_bytes(self.take()?);
                self.push(Value::Int(value.into()))
            }
            // LONG1: at most eight bytes are a number here, a longer one is only compared.
            0x8a => {
                let [length] = self.take()?;
                let bytes = self.take_slice(length.into())?;
                let value = long(bytes);
                self.push(value)
            }
            b'X' => {
                let length = u32::from_le_bytes(self.take()?) as usize;
                let text = std::str::from_utf8(self.take_slice(length)?);
                let text = Rc::from(text.map_err(|_| "a text that is not UTF-8")?);
                self.push(Value::Text(text))
            }
            b'q' => {
                let [place] = self.take()?;
                self.remember(place.into())
            }
            b'r' => {
                let place = u32::from_le_bytes(self.take()?);
                self.remember(place)
            }
            b'h' => {
                let [place] = self.take()?;
                self.recall(place.into())
            }
            b'j' => {
                let place = u32::from_le_bytes(self.take()?);
                self.recall(place)
            }
            b')' => self.tuple(0),
            0x85 => self.tuple(1),
            0x86 => self.tuple(2),
            0x87 => self.tuple(3),
            b't' => {
                let (values, deepest) = self.pop_to_mark()?;
                self.push_deep(Value::Sequence(Rc::new(values)), deepest + 1)
            }
            b']' => self.push(Value::Sequence(Rc::default())),
            b'}' => self.push(Value::Dict(Rc::default())),
            b'a' => {
                let (value, depth) = self.pop()?;
                self.append(vec![value], depth)
            }
            b'e' => {
                let (values, deepest) = self.pop_to_mark()?;
                self.append(values, deepest)
            }
            b's' => {
                let (value, depth) = self.pop()?;
                let (key, key_depth) = self.pop()?;
                self.insert(vec![key, value], depth.max(key_depth))
            }
            b'u' => {
                let (values, deepest) = self.pop_to_mark()?;
                self.insert(values, deepest)
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Value::Global(Global::named(&module, &name)?))
            }
            b'Q' => match self.pop()? {
                (Value::Sequence(values), depth) => self.push_deep(Value::Storage(values), depth),
                _ => Err("a persistent id that is no storage".to_owned()),
            },
            b'R' => self.reduce(),
            // BUILD sets attributes, of which a state dict has `_metadata`: versions of layers.
            b'b' => self.pop().map(|_| ()),
            other => Err(format!(
                "the instruction {:?} is not one of a state dict",
                char::from(other)
            )),
        }
    }

    /// A function applied to its arguments: only those that are known, and none is run.
    fn reduce(&mut self) -> Result<(), String> {
        let ((arguments, depth), (function, _)) = (self.pop()?, self.pop()?);
        let (Value::Sequence(arguments), Value::Global(function)) = (arguments, function) else {
            return Err("a call of what is no function".to_owned());
        };
        let value = match (function, arguments.as_slice()) {
            (Global::OrderedDict, []) => Value::Dict(Rc::default()),
            (Global::RebuildTensor, [Value::Storage(_), ..]) => Value::Tensor(arguments),
            (Global::RebuildParameter, [tensor @ Value::Tensor(_), ..]) => tensor.clone(),
            _ => {
                return Err(format!(
                    "{function:?} with arguments that are not understood"
                ));
            }
        };
        self.push_deep(value, depth)
    }

    /// The memo holds what a value is at that moment, so a container must be filled through it.
    fn remember(&mut self, place: u32) -> Result<(), String> {
        match self.stack.last() {
            Some(Item::Value(value, depth)) => {
                self.memo.insert(place, (value.clone(), *depth));
                Ok(())
            }
            _ => Err("nothing to remember".to_owned()),
        }
    }

    fn recall(&mut self, place: u32) -> Result<(), String> {
        let value = self.memo.get(&place).cloned();
        let (value, depth) = value.ok_or_else(|| format!("nothing is remembered as {place}"))?;
        self.push_deep(value, depth)
    }

    fn append(&mut self, values: Vec<Value>, deepest: usize) -> Result<(), String> {
        let Some(Item::Value(Value::Sequence(list), depth)) = self.stack.last_mut() else {
            return Err("no list to append to".to_owned());
        };
        // A list that is remembered as well is copied before it changes.
        self.built += (Rc::strong_count(list) - 1).min(1) * list.len();
        Rc::make_mut(list).extend(values);
        *depth = (deepest + 1).max(*depth);
        too_deep(*depth)?;
        too_many(self.built)
    }

    fn insert(&mut self, values: Vec<Value>, deepest: usize) -> Result<(), String> {
        let Some(Item::Value(Value::Dict(dict), depth)) = self.stack.last_mut() else {
            return Err("no dict to fill".to_owned());
        };
        if !values.len().is_multiple_of(2) {
            return Err("a key without a value".to_owned());
        }
        self.built += (Rc::strong_count(dict) - 1).min(1) * dict.len();
        let dict = Rc::make_mut(dict);
        let mut values = values.into_iter();
        while let (Some(key), Some(value)) = (values.next(), values.next()) {
            dict.push((key, value));
        }
        *depth = (deepest + 1).max(*depth);
        too_deep(*depth)?;
        too_many(self.built)
    }
}

fn too_many(built: usize) -> Result<(), String> {
    match built > MAX_VALUES {
        true => Err(format!("more than {MAX_VALUES} values")),
        false => Ok(()),
    }
}

fn too_deep(depth: usize) -> Result<(), String> {
    match depth > MAX_DEPTH {
        true => Err(format!("values nested deeper than {MAX_DEPTH}")),
        false => Ok(()),
    }
}

fn long(bytes: &[u8]) -> Value {
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut padded = [if negative { 0xff } else { 0 }; 8];
    if bytes.len() > padded.len() {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        return Value::Text(Rc::from(digits));
    }
    padded[..bytes.len()].copy_from_slice(bytes);
    Value::Int(i64::from_le_bytes(padded))
}
