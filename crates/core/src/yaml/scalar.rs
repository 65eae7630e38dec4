//! Scalars without quotes.

use super::Value;

/// The YAML 1.2 core schema for a scalar without quotes.
pub(super) fn plain_scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        ".inf" | "+.inf" | ".Inf" | ".INF" => return Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Value::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if is_whole(text) {
        return text
            .parse()
            .map_or_else(|_| Value::Text(text.to_owned()), Value::Int);
    }
    let based = [("0o", 8), ("0x", 16)]
        .into_iter()
        .find_map(|(prefix, base)| {
            let digits = text.strip_prefix(prefix)?;
            let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_digit(base));
            is_number.then(|| i64::from_str_radix(digits, base).ok())?
        });
    if let Some(number) = based {
        return Value::Int(number);
    }
    if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && text
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
        && let Ok(number) = text.parse::<f64>()
    {
        return Value::Float(number);
    }
    Value::Text(text.to_owned())
}

/// Whether these are the digits of a whole number of any size, with or without a sign.
pub(super) fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// What else to write for a whole number that begins with a zero: 8 or 10 for readers of YAML 1.1
/// and 1.2.
pub(super) fn ambiguous(text: &str) -> Option<String> {
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (&text[..1], digits),
        None => ("", text),
    };
    let is_whole = digits.bytes().all(|b| b.is_ascii_digit());
    if digits.len() < 2 || !digits.starts_with('0') || !is_whole {
        return None;
    }
    let decimal = digits.trim_start_matches('0');
    let decimal = if decimal.is_empty() { "0" } else { decimal };
    let octal = (i64::from_str_radix(digits, 8).ok()).map_or(String::new(), |octal| {
        format!(", {sign}{octal} for the octal number (0o{decimal})")
    });
    Some(format!(
        "write {sign}{decimal} for the decimal number{octal}, or \"{text}\" for text"
    ))
}
