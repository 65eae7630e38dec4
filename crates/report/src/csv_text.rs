//! Lines of cells as comma-separated text.

/// Lines of equally many cells as CSV, as RFC 4180 says but with `\n` at their ends.
pub(crate) fn csv_text<'l>(lines: impl IntoIterator<Item = &'l Vec<String>>) -> String {
    const TAKEN: &str = "memory takes every write, and all lines are equally long";
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        writer.write_record(line).expect(TAKEN);
    }
    let bytes = writer.into_inner().expect(TAKEN);
    String::from_utf8(bytes).expect("every cell is UTF-8")
}
