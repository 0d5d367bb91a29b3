//! Reads one YAML document.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use mlinfra_sdk::{Data, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::scalar::{self, Tag};
use crate::lang::convert::convert;
use crate::lang::names::type_name;
use crate::lang::quote::quoted;

/// How deep a document may nest; beyond it the stack might not suffice.
const GREATEST_DEPTH: usize = 128;
/// How many values a document may expand to by its aliases.
const MOST_VALUES: usize = 1_000_000;

/// The value of the one document in a text.
pub(super) fn decode(text: &str) -> Result<Value, String> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: HashMap::new(),
        open: HashSet::new(),
        depth: 0,
        values: 0,
    };
    let value = loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            Event::StreamEnd | Event::DocumentEnd => {
                return Err(at(&span, "missing start of document"));
            }
            event => break reader.value(event, &span)?,
        }
    };
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::DocumentEnd | Event::Nothing => {}
            Event::StreamEnd => return Ok(value),
            _ => return Err(at(&span, "unexpected extra content after value")),
        }
    }
}

fn at(span: &Span, what: &str) -> String {
    format!(
        "on line {}, column {}: {what}",
        span.start.line(),
        span.start.col() + 1
    )
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Value>,
    /// Anchors whose value is being read.
    open: HashSet<usize>,
    depth: usize,
    values: usize,
}

type TagOf<'t> = Option<Cow<'t, saphyr_parser::Tag>>;

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), String> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(told(&error)),
            None => Err("missing start of document".into()),
        }
    }

    fn value(&mut self, event: Event<'t>, span: &Span) -> Result<Value, String> {
        self.values += 1;
        if self.values > MOST_VALUES || self.depth > GREATEST_DEPTH {
            return Err(at(span, "the document is too large or too deep"));
        }
        match event {
            Event::Alias(anchor) => self.alias(anchor),
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar_value(&text, style, &tag, span)?;
                self.anchors.insert(anchor, value.clone());
                Ok(value)
            }
            Event::SequenceStart(anchor, tag) => {
                collection_tag(&tag, "seq", "sequence")?;
                self.nested(anchor, Self::sequence)
            }
            Event::MappingStart(anchor, tag) => {
                collection_tag(&tag, "map", "mapping")?;
                self.nested(anchor, Self::mapping)
            }
            _ => Err(at(span, "did not find expected node content")),
        }
    }

    fn alias(&mut self, anchor: usize) -> Result<Value, String> {
        if self.open.contains(&anchor) {
            return Err("cannot refer to an anchor from inside its own definition".into());
        }
        let value = self.anchors.get(&anchor).cloned();
        let value = value.ok_or("reference to undefined anchor")?;
        self.values += size(&value);
        Ok(value)
    }

    fn nested(
        &mut self,
        anchor: usize,
        read: fn(&mut Self) -> Result<Value, String>,
    ) -> Result<Value, String> {
        // Zero stands for no anchor.
        if anchor > 0 {
            self.open.insert(anchor);
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        self.open.remove(&anchor);
        let value = value?;
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn sequence(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::tuple(items));
            }
            items.push(self.value(event, &span)?);
        }
    }

    fn mapping(&mut self) -> Result<Value, String> {
        let mut entries: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::from(Data::Object(Arc::new(entries))));
            }
            let merge = matches!(&event, Event::Scalar(t, ScalarStyle::Plain, ..) if t == "<<");
            let key = if merge {
                None
            } else {
                Some(self.key(event, &span)?)
            };
            let (event, span) = self.next()?;
            let value = self.value(event, &span)?;
            match key {
                Some(key) => {
                    entries.insert(key, value);
                }
                None => merge_into(&mut entries, &value)?,
            }
        }
    }

    fn key(&mut self, event: Event<'t>, span: &Span) -> Result<Arc<str>, String> {
        let key = self.value(event, span)?;
        if key.is_null() {
            return Err(at(span, "mapping key cannot be null"));
        }
        convert(&key, &mlinfra_sdk::Type::String)
            .ok()
            .and_then(|key| key.as_str().map(Arc::from))
            .ok_or_else(|| "only strings are allowed as mapping keys".into())
    }
}

fn merge_into(entries: &mut BTreeMap<Arc<str>, Value>, value: &Value) -> Result<(), String> {
    match value.entries() {
        Some(more) => {
            entries.extend(more.iter().map(|(k, v)| (Arc::clone(k), v.clone())));
            Ok(())
        }
        None => Err(format!(
            "cannot merge {} into mapping",
            type_name(&value.ty())
        )),
    }
}

fn size(value: &Value) -> usize {
    match value.data() {
        Data::Tuple(items) => 1 + items.iter().map(size).sum::<usize>(),
        Data::Object(entries) => 1 + entries.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

fn scalar_value(
    text: &str,
    style: ScalarStyle,
    tag: &TagOf<'_>,
    span: &Span,
) -> Result<Value, String> {
    let plain = style == ScalarStyle::Plain;
    match tag {
        None if plain => scalar::untagged(text).map_err(|e| at(span, &e)),
        None => Ok(Value::from(text)),
        Some(tag) if tag.handle == "!" && tag.suffix.is_empty() => Ok(Value::from(text)),
        Some(tag) => match core_tag(tag).and_then(Tag::of) {
            Some(known) => scalar::tagged(text, known, !plain),
            None => Err(unsupported(tag)),
        },
    }
}

/// The name of a tag of the core schema.
fn core_tag(tag: &saphyr_parser::Tag) -> Option<&str> {
    tag.is_yaml_core_schema().then_some(tag.suffix.as_str())
}

fn unsupported(tag: &saphyr_parser::Tag) -> String {
    let name = match core_tag(tag) {
        Some(suffix) => format!("tag:yaml.org,2002:{suffix}"),
        None => format!("{}{}", tag.handle, tag.suffix),
    };
    format!("unsupported tag {}", quoted(&name))
}

fn collection_tag(tag: &TagOf<'_>, expected: &str, kind: &str) -> Result<(), String> {
    match tag {
        Some(tag) if core_tag(tag) != Some(expected) => match core_tag(tag) {
            Some(suffix) => Err(format!(
                "can't interpret {kind} as tag:yaml.org,2002:{suffix}"
            )),
            None => Err(unsupported(tag)),
        },
        _ => Ok(()),
    }
}

/// An error of the parser in the words of libyaml, which people know.
fn told(error: &ScanError) -> String {
    let text = error.info();
    let known = [
        "mapping values are not allowed in this context",
        "did not find expected node content",
        "found character that cannot start any token",
        "found unexpected end of stream",
        "found unexpected non-alphabetical character",
    ];
    known.iter().find(|k| text.contains(*k)).map_or_else(
        || {
            let marker = error.marker();
            format!(
                "on line {}, column {}: {text}",
                marker.line(),
                marker.col() + 1
            )
        },
        |k| (*k).to_owned(),
    )
}
