//! Reads a CSV file once, a record at a time: its header, its rows, and what is wrong with them.

use std::fs::File;
use std::path::Path;

/// How many faulty lines are told.
const TOLD: usize = 5;

/// What a CSV file holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// The names of its columns.
    pub(crate) header: Vec<String>,
    /// The number of rows below the header.
    pub(crate) rows: usize,
}

/// What is wrong with a CSV file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TableError {
    /// One line.
    pub(crate) summary: &'static str,
    /// Why, in sentences.
    pub(crate) detail: String,
}

impl TableError {
    fn new(summary: &'static str, detail: String) -> Self {
        Self { summary, detail }
    }
}

/// Reads a file to its end.
pub(crate) fn scan(path: &Path) -> Result<Table, TableError> {
    let unreadable = |cause: String| {
        TableError::new(
            "Data cannot be read",
            format!("{}: {cause}.", path.display()),
        )
    };
    let file = File::open(path).map_err(|e| unreadable(e.to_string()))?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
    let header = header(
        path,
        reader
            .byte_headers()
            .map_err(|e| unreadable(e.to_string()))?,
    )?;
    let mut record = csv::ByteRecord::new();
    let mut rows = 0;
    let mut ragged = Vec::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => rows += 1,
            Ok(false) => break,
            Err(error) => return Err(unreadable(error.to_string())),
        }
        if record.len() != header.len() {
            let line = record.position().map_or(0, csv::Position::line);
            ragged.push((line, record.len()));
        }
    }
    if !ragged.is_empty() {
        return Err(TableError::new("Ragged rows", told(path, &header, &ragged)));
    }
    if rows == 0 {
        let detail = format!("{} has a header and no rows.", path.display());
        return Err(TableError::new("No data", detail));
    }
    Ok(Table { header, rows })
}

/// The names of the columns: there, readable, and each once.
fn header(path: &Path, record: &csv::ByteRecord) -> Result<Vec<String>, TableError> {
    let shown = path.display();
    if record.is_empty() {
        let detail = format!("{shown} is empty. Its first line must name the columns.");
        return Err(TableError::new("No data", detail));
    }
    let mut names: Vec<String> = Vec::new();
    for (number, name) in (1..).zip(record) {
        let problem = match std::str::from_utf8(name) {
            Err(_) => format!("the name of column {number} is not UTF-8"),
            Ok("") => format!("column {number} has no name"),
            Ok(name) if names.iter().any(|n| n == name) => {
                format!("two columns are named {name:?}")
            }
            Ok(name) => {
                names.push(name.to_owned());
                continue;
            }
        };
        let detail = format!("In the first line of {shown}, {problem}.");
        return Err(TableError::new("Invalid header", detail));
    }
    Ok(names)
}

fn told(path: &Path, header: &[String], ragged: &[(u64, usize)]) -> String {
    let lines = ragged
        .iter()
        .take(TOLD)
        .map(|(line, fields)| format!("line {line} has {fields}"));
    let lines = lines.collect::<Vec<_>>().join(", ");
    let more = match ragged.len().saturating_sub(TOLD) {
        0 => String::new(),
        more => format!(", and so on for {more} more"),
    };
    format!(
        "{} has {} columns, but not in every row: {lines}{more}.",
        path.display(),
        header.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &[u8]) -> Result<Table, TableError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.csv");
        std::fs::write(&path, text).unwrap();
        scan(&path)
    }

    #[test]
    fn header_and_rows_are_found() {
        let table = of(b"\xef\xbb\xbfa,b\n1,2\n\"x\ny\",4\n").unwrap();
        assert_eq!(table.header, ["a", "b"]);
        assert_eq!(table.rows, 2);
    }

    #[test]
    fn ragged_rows_are_named_by_line() {
        let error = of(b"a,b\n1,2\n1\n\"x\ny\",4\n1,2,3\n").unwrap_err();
        assert_eq!(error.summary, "Ragged rows");
        assert!(
            error
                .detail
                .ends_with("not in every row: line 3 has 1, line 6 has 3."),
            "{}",
            error.detail
        );
    }

    #[test]
    fn what_holds_no_data_is_said() {
        assert_eq!(of(b"").unwrap_err().summary, "No data");
        let error = of(b"a,b\n").unwrap_err();
        assert!(error.detail.contains("a header and no rows"));
    }

    #[test]
    fn columns_are_told_apart_by_name() {
        assert!(
            of(b"a,a\n1,2\n")
                .unwrap_err()
                .detail
                .contains("two columns are named \"a\"")
        );
        assert!(
            of(b"a,\n1,2\n")
                .unwrap_err()
                .detail
                .contains("column 2 has no name")
        );
        assert!(
            of(b"a,\xff\n1,2\n")
                .unwrap_err()
                .detail
                .contains("column 2 is not UTF-8")
        );
    }

    #[test]
    fn a_missing_file_is_an_error() {
        let error = scan(Path::new("/nowhere/data.csv")).unwrap_err();
        assert_eq!(error.summary, "Data cannot be read");
    }
}
