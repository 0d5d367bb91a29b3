//! The objects on disk: one durable file each, their secrets in another.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::durable;
use crate::layout::Layout;
use crate::messages::{Damaged, Secrets};

/// Something the agent keeps.
pub(super) trait Record: Serialize + DeserializeOwned {
    /// The kind of the object, which is also the name of its folder.
    const KIND: &'static str;

    /// The name it stands under.
    fn name(&self) -> &str;
}

/// What was found of one kind.
pub(super) struct Loaded<R> {
    pub(super) records: Vec<R>,
    pub(super) damaged: Vec<Damaged>,
}

/// The objects on disk.
#[derive(Debug)]
pub(super) struct Store {
    layout: Layout,
}

impl Store {
    pub(super) fn new(layout: Layout) -> Self {
        Self { layout }
    }

    /// Writes an object down.
    pub(super) fn save<R: Record>(&self, record: &R) -> io::Result<()> {
        let folder = self.layout.objects(R::KIND);
        durable::make_folder(&folder)?;
        durable::write_json(&folder.join(format!("{}.json", record.name())), record)
    }

    /// Reads all objects of a kind. One that cannot be read is reported and kept.
    pub(super) fn load<R: Record>(&self) -> io::Result<Loaded<R>> {
        let mut loaded = Loaded {
            records: Vec::new(),
            damaged: Vec::new(),
        };
        let entries = match std::fs::read_dir(self.layout.objects(R::KIND)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(loaded),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let path = entry?.path();
            // Anything else is a temporary file that a kill left behind.
            let Some(name) = path
                .file_name()
                .and_then(|name| name.to_str()?.strip_suffix(".json"))
            else {
                continue;
            };
            match durable::read_json::<R>(&path) {
                Ok(Some(record)) if record.name() == name => loaded.records.push(record),
                Ok(Some(record)) => loaded
                    .damaged
                    .push(damaged::<R>(name, format!("it holds {:?}", record.name()))),
                Ok(None) => {}
                Err(error) => loaded.damaged.push(damaged::<R>(name, error.to_string())),
            }
        }
        Ok(loaded)
    }

    /// Forgets an object and its secrets.
    pub(super) fn remove<R: Record>(&self, name: &str) -> io::Result<()> {
        durable::remove(&self.layout.objects(R::KIND).join(format!("{name}.json")))?;
        durable::remove(&self.layout.secrets(R::KIND, name))
    }

    /// Keeps an object's secrets.
    pub(super) fn save_secrets<R: Record>(&self, name: &str, secrets: &Secrets) -> io::Result<()> {
        let path = self.layout.secrets(R::KIND, name);
        if secrets.is_empty() {
            return durable::remove(&path);
        }
        if let Some(folder) = path.parent() {
            durable::make_folder(folder)?;
        }
        durable::write_json(&path, secrets)
    }

    /// An object's secrets.
    pub(super) fn secrets<R: Record>(&self, name: &str) -> io::Result<Secrets> {
        Ok(durable::read_json(&self.layout.secrets(R::KIND, name))?.unwrap_or_default())
    }
}

fn damaged<R: Record>(name: &str, error: String) -> Damaged {
    Damaged {
        kind: R::KIND.to_owned(),
        name: name.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Thing {
        name: String,
    }

    impl Record for Thing {
        const KIND: &'static str = "thing";
        fn name(&self) -> &str {
            &self.name
        }
    }

    #[test]
    fn a_damaged_object_is_neither_read_nor_taken_for_absent() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        let store = Store::new(layout.clone());
        assert!(store.load::<Thing>().unwrap().records.is_empty());
        store
            .save(&Thing {
                name: "whole".into(),
            })
            .unwrap();
        std::fs::write(layout.objects("thing").join("cut.json"), "{\"na").unwrap();
        std::fs::write(
            layout.objects("thing").join("moved.json"),
            r#"{"name":"whole"}"#,
        )
        .unwrap();
        std::fs::write(
            layout.objects("thing").join(".writing-x1"),
            "left by a kill",
        )
        .unwrap();
        let mut loaded = store.load::<Thing>().unwrap();
        assert_eq!(
            loaded.records,
            [Thing {
                name: "whole".into()
            }]
        );
        loaded.damaged.sort_by(|a, b| a.name.cmp(&b.name));
        let names: Vec<_> = loaded
            .damaged
            .iter()
            .map(|damaged| damaged.name.as_str())
            .collect();
        assert_eq!(names, ["cut", "moved"]);
    }
}
