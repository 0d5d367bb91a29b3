//! Hashes of texts, identifiers, passwords, and one decryption.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use mlinfra_sdk::{Type, Value};
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use uuid::Uuid;

use super::arguments::{Arguments, CallError};
use super::signature::{Function, Kind, Parameter, Returns};

const STR: Parameter = Parameter::new("str", Kind::Text);

macro_rules! hash {
    ($name:literal, $description:literal, $digest:ty, $write:expr) => {
        Function::new($name, $description, &[STR], Returns::Text, |a| {
            Ok(Value::from($write(&<$digest>::digest(a.text(0)))))
        })
    };
}

/// Bytes as hexadecimal digits.
pub(super) fn hex_of(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

/// Bytes as base64.
pub(super) fn base64_of(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(super) const FUNCTIONS: &[Function] = &[
    hash!(
        "md5",
        "The MD5 hash of a text, in hexadecimal.",
        Md5,
        hex_of
    ),
    hash!(
        "sha1",
        "The SHA-1 hash of a text, in hexadecimal.",
        Sha1,
        hex_of
    ),
    hash!(
        "sha256",
        "The SHA-256 hash of a text, in hexadecimal.",
        Sha256,
        hex_of
    ),
    hash!(
        "sha512",
        "The SHA-512 hash of a text, in hexadecimal.",
        Sha512,
        hex_of
    ),
    hash!(
        "base64sha256",
        "The SHA-256 hash of a text, in base64.",
        Sha256,
        base64_of
    ),
    hash!(
        "base64sha512",
        "The SHA-512 hash of a text, in base64.",
        Sha512,
        base64_of
    ),
    Function::new(
        "bcrypt",
        "The bcrypt hash of a text; another one each time.",
        &[STR],
        Returns::Text,
        hash_password,
    )
    .variadic(Parameter::new("cost", Kind::Number)),
    Function::new(
        "rsadecrypt",
        "The text that base64 of an RSA ciphertext stands for, under a private key.",
        &[
            Parameter::new("ciphertext", Kind::Text),
            Parameter::new("privatekey", Kind::Text),
        ],
        Returns::Text,
        rsa_decrypt,
    ),
    Function::new(
        "uuid",
        "A random identifier; another one each time.",
        &[],
        Returns::Text,
        |a| {
            Ok(if a.settings.pure_only {
                Value::unknown(Type::String).never_null()
            } else {
                Value::from(Uuid::new_v4().to_string())
            })
        },
    ),
    Function::new(
        "uuidv5",
        "The identifier of a name in a namespace: dns, url, oid, x500 or an identifier.",
        &[
            Parameter::new("namespace", Kind::Text),
            Parameter::new("name", Kind::Text),
        ],
        Returns::Text,
        named_uuid,
    ),
];

fn hash_password(a: &Arguments<'_>) -> Result<Value, CallError> {
    const DEFAULT_COST: u32 = 10;
    if a.settings.pure_only {
        return Ok(Value::unknown(Type::String).never_null());
    }
    let cost = match a.values().len() {
        1 => DEFAULT_COST,
        2 => {
            let wanted = a.integer(1)?;
            if !(0..=31).contains(&wanted) {
                return Err(CallError::new(format!(
                    "error occured generating password crypto/bcrypt: cost {wanted} is outside \
                     allowed range (4,31)"
                )));
            }
            match u32::try_from(wanted) {
                Ok(wanted) if wanted >= 4 => wanted,
                _ => DEFAULT_COST,
            }
        }
        _ => return Err(CallError::new("bcrypt() takes no more than two arguments")),
    };
    if a.text(0).len() > 72 {
        return Err(CallError::new(
            "error occured generating password bcrypt: password length exceeds 72 bytes",
        ));
    }
    let hash = bcrypt::hash_with_result(a.text(0), cost)
        .map_err(|e| CallError::new(format!("error occured generating password {e}")))?;
    Ok(Value::from(hash.format_for_version(bcrypt::Version::TwoA)))
}

fn rsa_decrypt(a: &Arguments<'_>) -> Result<Value, CallError> {
    let cipher = STANDARD.decode(a.text(0)).map_err(|_| {
        CallError::argument(
            0,
            format!(
                "failed to decode input {}: cipher text must be base64-encoded",
                a.told(0)
            ),
        )
    })?;
    let pem = a.text(1);
    if !pem.contains("-----BEGIN") {
        return Err(CallError::argument(
            1,
            "invalid private key: ssh: no key found",
        ));
    }
    let key = RsaPrivateKey::from_pkcs1_pem(pem)
        .ok()
        .or_else(|| RsaPrivateKey::from_pkcs8_pem(pem).ok())
        .ok_or_else(|| CallError::argument(1, "invalid private key: not an RSA key in PEM form"))?;
    let plain = key
        .decrypt(Pkcs1v15Encrypt, &cipher)
        .map_err(|_| CallError::new("failed to decrypt: crypto/rsa: decryption error"))?;
    Ok(Value::from(String::from_utf8_lossy(&plain).into_owned()))
}

fn named_uuid(a: &Arguments<'_>) -> Result<Value, CallError> {
    let namespace = match a.text(0) {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => Uuid::parse_str(other).map_err(|_| {
            let why = match other.len() {
                32 | 36 | 38 | 45 => "invalid UUID format".to_owned(),
                n => format!("invalid UUID length: {n}"),
            };
            CallError::new(format!(
                "uuidv5() doesn't support namespace {} ({why})",
                a.tell(0, other)
            ))
        })?,
    };
    let id = Uuid::new_v5(&namespace, a.text(1).as_bytes());
    Ok(Value::from(id.to_string()))
}
