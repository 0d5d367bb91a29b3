//! Which elements of two sequences belong together.
//!
//! Sequences of one length that do not hold the same elements are compared place by place; all
//! others by their longest common subsequence, with neighbouring objects taken for one that
//! changed. These are Terraform's rules, measured.

use std::collections::{BTreeSet, HashMap};

use mlinfra_sdk::Value;
use similar::{Algorithm, DiffOp};

/// Above this many comparisons the exact algorithm gives way to one of linear memory.
const MOST_CELLS: usize = 4_000_000;

/// An element before and after; one of them may be missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair {
    /// The index before.
    pub before: Option<usize>,
    /// The index after.
    pub after: Option<usize>,
}

/// The text that equal elements share: their JSON form.
pub fn key(value: &Value) -> String {
    // An infinite number has no JSON form.
    serde_json::to_string(value).unwrap_or_else(|_| format!("{:?}", value.data()))
}

/// Pairs the elements of two sequences in order; `is_object` tells, by a key's side and index,
/// what may have changed rather than been replaced.
pub fn ordered(before: &[String], after: &[String], is_object: &dyn Fn(Pair) -> bool) -> Vec<Pair> {
    let (before, after) = numbered(before, after);
    if before.len() == after.len() && !same_elements(&before, &after) {
        return (0..before.len())
            .map(|i| Pair {
                before: Some(i),
                after: Some(i),
            })
            .collect();
    }
    weave(&before, &after, &common(&before, &after), is_object)
}

/// Pairs the elements of two sets: equal ones with each other, the others with nothing.
pub fn unordered(before: &[String], after: &[String]) -> Vec<Pair> {
    let index: HashMap<&str, usize> = after.iter().map(String::as_str).zip(0..).collect();
    let known: BTreeSet<&str> = before.iter().map(String::as_str).collect();
    let old = before.iter().enumerate().map(|(i, key)| Pair {
        before: Some(i),
        after: index.get(key.as_str()).copied(),
    });
    let new = after
        .iter()
        .enumerate()
        .filter(|(_, key)| !known.contains(key.as_str()))
        .map(|(i, _)| Pair {
            before: None,
            after: Some(i),
        });
    old.chain(new).collect()
}

/// A small number for each distinct key, so that comparing costs nothing.
fn numbered<'k>(before: &'k [String], after: &'k [String]) -> (Vec<usize>, Vec<usize>) {
    let mut numbers: HashMap<&'k str, usize> = HashMap::new();
    let mut number = |key: &'k String| {
        let next = numbers.len();
        *numbers.entry(key).or_insert(next)
    };
    let before = before.iter().map(&mut number).collect();
    let after = after.iter().map(&mut number).collect();
    (before, after)
}

fn same_elements(before: &[usize], after: &[usize]) -> bool {
    let set = |items: &[usize]| items.iter().copied().collect::<BTreeSet<_>>();
    set(before) == set(after)
}

/// The longest common subsequence.
fn common(before: &[usize], after: &[usize]) -> Vec<usize> {
    if before.len().saturating_mul(after.len()) > MOST_CELLS {
        return similar::capture_diff_slices(Algorithm::Myers, before, after)
            .into_iter()
            .filter_map(|op| match op {
                DiffOp::Equal { old_index, len, .. } => before.get(old_index..old_index + len),
                _ => None,
            })
            .flatten()
            .copied()
            .collect();
    }
    // lengths[y][x]: of the longest common subsequence of the first x and the first y elements.
    let width = before.len() + 1;
    let mut lengths = vec![0u32; width * (after.len() + 1)];
    for (y, b) in after.iter().enumerate() {
        for (x, a) in before.iter().enumerate() {
            let here = (y + 1) * width + x + 1;
            lengths[here] = if a == b {
                lengths[y * width + x] + 1
            } else {
                lengths[here - 1].max(lengths[here - width])
            };
        }
    }
    let mut found = Vec::new();
    let (mut x, mut y) = (before.len(), after.len());
    while x > 0 && y > 0 {
        if before[x - 1] == after[y - 1] {
            (x, y) = (x - 1, y - 1);
            found.push(before[x]);
        } else if lengths[y * width + x - 1] > lengths[(y - 1) * width + x] {
            x -= 1;
        } else {
            y -= 1;
        }
    }
    found.reverse();
    found
}

/// Puts removals and additions between the common elements, each of which is taken at its first
/// occurrence on either side.
fn weave(
    before: &[usize],
    after: &[usize],
    common: &[usize],
    is_object: &dyn Fn(Pair) -> bool,
) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let (mut x, mut y) = (0, 0);
    let ends = common.iter().copied().map(Some).chain([None]);
    for wanted in ends {
        let differs = |item: Option<&usize>| item.is_some_and(|item| Some(*item) != wanted);
        while differs(before.get(x)) {
            let both = Pair {
                before: Some(x),
                after: Some(y),
            };
            if differs(after.get(y)) && is_object(both) {
                pairs.push(both);
                y += 1;
            } else {
                pairs.push(Pair {
                    after: None,
                    ..both
                });
            }
            x += 1;
        }
        while differs(after.get(y)) {
            pairs.push(Pair {
                before: None,
                after: Some(y),
            });
            y += 1;
        }
        if wanted.is_some() {
            pairs.push(Pair {
                before: Some(x),
                after: Some(y),
            });
            (x, y) = (x + 1, y + 1);
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a` stays, `-a` goes, `+a` comes, `a>b` becomes.
    fn shown(before: &str, after: &str, objects: bool) -> String {
        let keys = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        let (before, after) = (keys(before), keys(after));
        ordered(&before, &after, &|_| objects)
            .into_iter()
            .map(|pair| {
                match (
                    pair.before.map(|i| &before[i]),
                    pair.after.map(|i| &after[i]),
                ) {
                    (Some(a), Some(b)) if a == b => a.clone(),
                    (Some(a), Some(b)) => format!("{a}>{b}"),
                    (Some(a), None) => format!("-{a}"),
                    (None, Some(b)) => format!("+{b}"),
                    (None, None) => unreachable!(),
                }
            })
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Every line was measured with Terraform 1.11.4.
    #[test]
    fn elements_are_paired_as_terraform_pairs_them() {
        for (before, after, wanted) in [
            ("abcd", "axde", "a b>x c>d d>e"),
            ("abc", "cba", "-a -b c +b +a"),
            ("ab", "ba", "-a b +a"),
            ("aba", "bab", "-a b a +b"),
            ("aab", "bba", "-a -a b +b +a"),
            ("abcde", "ebcda", "-a +e b c d -e +a"),
            ("abcd", "badc", "-a b -c +a d +c"),
            ("abc", "bca", "-a b c +a"),
            ("ab", "c", "-a -b +c"),
            ("a", "bc", "-a +b +c"),
            ("abcd", "axyzd", "a -b -c +x +y +z d"),
            ("12345678", "124596780", "1 2 -3 4 5 +9 6 7 8 +0"),
        ] {
            assert_eq!(shown(before, after, false), wanted, "{before} {after}");
        }
    }

    #[test]
    fn neighbouring_objects_are_one_that_changed() {
        assert_eq!(shown("123", "1534", true), "1 2>5 3 +4");
        assert_eq!(shown("1", "23", true), "1>2 +3");
    }

    #[test]
    fn long_sequences_are_paired_as_well() {
        let long: Vec<String> = (0..3000).map(|n| n.to_string()).collect();
        let shorter: Vec<String> = long.iter().skip(1).cloned().collect();
        let pairs = ordered(&long, &shorter, &|_| false);
        assert_eq!(pairs.len(), 3000);
        assert_eq!(pairs[0].after, None);
        assert!(
            pairs[1..]
                .iter()
                .all(|p| p.before.is_some() && p.after.is_some())
        );
    }

    #[test]
    fn equal_elements_of_sets_meet_wherever_they_stand() {
        let keys = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        let pairs = unordered(&keys("abc"), &keys("cd"));
        let flat: Vec<_> = pairs.iter().map(|p| (p.before, p.after)).collect();
        assert_eq!(
            flat,
            [
                (Some(0), None),
                (Some(1), None),
                (Some(2), Some(0)),
                (None, Some(1))
            ]
        );
    }
}
