//! Files below a folder whose names match a pattern: `*`, `?`, `[…]`, `{a,b}` and `**`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum GlobError {
    /// The pattern is none.
    Syntax,
    /// A folder could not be read.
    Read(PathBuf, std::io::Error),
}

/// The names, relative to the folder and with slashes, of the files that match.
pub(super) fn files(base: &Path, pattern: &str) -> Result<BTreeSet<String>, GlobError> {
    let mut found = BTreeSet::new();
    for pattern in alternatives(pattern)? {
        let parts: Vec<&str> = pattern.split('/').collect();
        for part in &parts {
            check(part)?;
        }
        walk(base, &mut Vec::new(), &parts, &mut found)?;
    }
    Ok(found)
}

/// The patterns that one with braces stands for.
fn alternatives(pattern: &str) -> Result<Vec<String>, GlobError> {
    let Some(open) = find_unescaped(pattern, '{') else {
        return Ok(vec![pattern.to_owned()]);
    };
    let (before, rest) = (&pattern[..open], &pattern[open + 1..]);
    let mut depth = 0;
    let mut starts = vec![0];
    let mut close = None;
    let mut escaped = false;
    for (i, c) in rest.char_indices() {
        match c {
            _ if escaped => {
                escaped = false;
                continue;
            }
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' if depth == 0 => {
                close = Some(i);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => starts.push(i + 1),
            _ => {}
        }
    }
    let close = close.ok_or(GlobError::Syntax)?;
    let after = &rest[close + 1..];
    let mut all = Vec::new();
    for (i, start) in starts.iter().enumerate() {
        let end = starts.get(i + 1).map_or(close, |next| next - 1);
        let one = format!("{before}{}{after}", &rest[*start..end]);
        all.extend(alternatives(&one)?);
    }
    Ok(all)
}

fn find_unescaped(text: &str, wanted: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices()
        .find(|(_, c)| {
            let hit = !escaped && *c == wanted;
            escaped = !escaped && *c == '\\';
            hit
        })
        .map(|(i, _)| i)
}

fn walk(
    base: &Path,
    at: &mut Vec<String>,
    parts: &[&str],
    found: &mut BTreeSet<String>,
) -> Result<(), GlobError> {
    let Some((part, rest)) = parts.split_first() else {
        return Ok(());
    };
    let folder = at.iter().fold(base.to_path_buf(), |p, name| p.join(name));
    if *part == "**" {
        // No folder, or any number of them.
        walk(base, at, rest, found)?;
    }
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e)
            if matches!(
                e.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(());
        }
        Err(e) => return Err(GlobError::Read(folder, e)),
    };
    for entry in entries {
        let entry = entry.map_err(|e| GlobError::Read(folder.clone(), e))?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = entry.path();
        // A link counts as what it points to, but `**` does not follow it, for it may go round.
        let is_link = entry.file_type().is_ok_and(|t| t.is_symlink());
        let Ok(metadata) = std::fs::metadata(&path) else {
            continue;
        };
        at.push(name);
        let name = at.last().map_or("", String::as_str);
        if *part == "**" {
            if metadata.is_dir() && !is_link {
                walk(base, at, parts, found)?;
            } else if metadata.is_file() && rest.is_empty() {
                found.insert(at.join("/"));
            }
        } else if matches(part, name) {
            if rest.is_empty() {
                if metadata.is_file() {
                    found.insert(at.join("/"));
                }
            } else if metadata.is_dir() {
                walk(base, at, rest, found)?;
            }
        }
        at.pop();
    }
    Ok(())
}

/// Whether every class is closed and nothing is escaped at the end.
fn check(part: &str) -> Result<(), GlobError> {
    let mut rest: Vec<char> = part.chars().collect();
    while let Some(c) = rest.first().copied() {
        rest = match c {
            '\\' if rest.len() < 2 => return Err(GlobError::Syntax),
            '\\' => rest.split_off(2),
            '[' => {
                let (_, length) = class(&rest, '\0').ok_or(GlobError::Syntax)?;
                rest.split_off(length)
            }
            _ => rest.split_off(1),
        };
    }
    Ok(())
}

/// Whether a class at the start of a pattern holds a character, and how long the class is.
fn class(pattern: &[char], c: char) -> Option<(bool, usize)> {
    let mut i = 1;
    let negated = matches!(pattern.get(i), Some('^' | '!'));
    i += usize::from(negated);
    let mut hit = false;
    let mut first = true;
    loop {
        let mut low = *pattern.get(i)?;
        if low == ']' && !first {
            return Some((hit != negated, i + 1));
        }
        first = false;
        if low == '\\' {
            i += 1;
            low = *pattern.get(i)?;
        }
        i += 1;
        let mut high = low;
        if pattern.get(i) == Some(&'-') && pattern.get(i + 1).is_some_and(|c| *c != ']') {
            high = *pattern.get(i + 1)?;
            i += 2;
            if high == '\\' {
                high = *pattern.get(i)?;
                i += 1;
            }
        }
        hit |= (low..=high).contains(&c);
    }
}

/// Whether one part of a name matches one part of a pattern.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go on when the last star has to take one more character.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
                continue;
            }
            None if n == name.len() => return true,
            None => None,
            Some(c) => name.get(n).and_then(|actual| match c {
                '?' => Some(1),
                '[' => {
                    class(&pattern[p..], *actual).and_then(|(hit, length)| hit.then_some(length))
                }
                '\\' => (pattern.get(p + 1) == Some(actual)).then_some(2),
                c => (c == actual).then_some(1),
            }),
        };
        match (step, star) {
            (Some(length), _) => {
                p += length;
                n += 1;
            }
            (None, Some((at, taken))) if taken < name.len() => {
                star = Some((at, taken + 1));
                p = at + 1;
                n = taken + 1;
            }
            (None, _) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("*.tf", "main.tf", true),
            ("*.tf", "main.tfvars", false),
            ("a?c", "abc", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("*a*b*", "xxaxxb", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        assert!(check("[").is_err());
        assert!(check("[a-]").is_ok());
        assert_eq!(
            alternatives("{a,b{c,d}}.x").unwrap(),
            ["a.x", "bc.x", "bd.x"]
        );
    }

    #[test]
    fn files_are_found_at_any_depth() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        for name in ["x.txt", "a/y.txt", "a/b/z.txt", "a/b/.hidden"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = |pattern: &str| -> Vec<String> {
            files(folder.path(), pattern).unwrap().into_iter().collect()
        };
        assert_eq!(found("*.txt"), ["x.txt"]);
        assert_eq!(found("**/*.txt"), ["a/b/z.txt", "a/y.txt", "x.txt"]);
        assert_eq!(
            found("**"),
            ["a/b/.hidden", "a/b/z.txt", "a/y.txt", "x.txt"]
        );
        assert_eq!(found("{x,a/y}.txt"), ["a/y.txt", "x.txt"]);
    }
}
