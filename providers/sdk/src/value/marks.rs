//! Marks that a value carries: sensitive, ephemeral.

use std::ops::{BitOr, BitOrAssign};

/// A set of marks.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Hash)]
pub struct Marks(u8);

impl Marks {
    /// No mark.
    pub const NONE: Marks = Marks(0);
    /// Not to be shown to people.
    pub const SENSITIVE: Marks = Marks(1);
    /// Not to be written to disk.
    pub const EPHEMERAL: Marks = Marks(2);

    /// Whether there is no mark.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether the value must not be shown.
    pub fn is_sensitive(self) -> bool {
        self.0 & Marks::SENSITIVE.0 != 0
    }

    /// Whether the value must not be written to disk.
    pub fn is_ephemeral(self) -> bool {
        self.0 & Marks::EPHEMERAL.0 != 0
    }

    /// These marks without those of `other`.
    #[must_use]
    pub fn without(self, other: Marks) -> Marks {
        Marks(self.0 & !other.0)
    }
}

impl BitOr for Marks {
    type Output = Marks;
    fn bitor(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }
}

impl BitOrAssign for Marks {
    fn bitor_assign(&mut self, other: Marks) {
        self.0 |= other.0;
    }
}
