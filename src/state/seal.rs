//! The seal of a file: its last member is the SHA-256 of everything before it, so that a file that
//! was cut or changed is never taken for another.

use sha2::{Digest, Sha256};

const SEAL: &str = "\"sha256\":\"";
const END: &str = "\"}\n";
/// The seal's name, 64 hex digits, and what closes the file.
const LENGTH: usize = SEAL.len() + 64 + END.len();

/// How a seal is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Broken {
    /// The bytes end before it.
    Cut,
    /// The bytes are not those that were sealed.
    Changed,
}

/// Closes a JSON object whose last member was followed by a comma.
pub(crate) fn seal(text: &mut Vec<u8>) {
    let seal = hex::encode(Sha256::digest(&*text));
    for part in [SEAL, &seal, END] {
        text.extend_from_slice(part.as_bytes());
    }
}

/// The whole object, after its seal was found unbroken.
pub(crate) fn unsealed(bytes: &[u8]) -> Result<&[u8], Broken> {
    let split = bytes.len().checked_sub(LENGTH).ok_or(Broken::Cut)?;
    let (sealed, seal) = bytes.split_at_checked(split).ok_or(Broken::Cut)?;
    let digest = seal
        .strip_prefix(SEAL.as_bytes())
        .and_then(|s| s.strip_suffix(END.as_bytes()))
        .ok_or(Broken::Cut)?;
    if digest == hex::encode(Sha256::digest(sealed)).as_bytes() {
        Ok(bytes)
    } else {
        Err(Broken::Changed)
    }
}
