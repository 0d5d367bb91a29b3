//! An inference response: JSON, with binary data behind it where the client asked for that.

use axum::body::Body;
use axum::http::{Response, header};
use serde::Serialize;

use crate::request::Wanted;
use crate::tensor::{Data, Tensor};

/// The header that says how long the JSON is before binary data.
pub(crate) const HEADER_LENGTH: &str = "inference-header-content-length";

#[derive(Serialize)]
struct Written<'a> {
    model_name: &'a str,
    model_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    outputs: Vec<WrittenOutput<'a>>,
}

#[derive(Serialize)]
struct WrittenOutput<'a> {
    name: &'a str,
    datatype: String,
    shape: &'a [usize],
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<BinarySize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Data>,
}

#[derive(Serialize)]
struct BinarySize {
    binary_data_size: usize,
}

/// A response's bytes.
#[derive(Debug)]
pub(crate) struct Encoded {
    body: Vec<u8>,
    /// The length of the JSON, where binary data follows.
    header_length: Option<usize>,
}

/// Writes a response.
pub(crate) fn encode(
    model: &str,
    version: &str,
    id: Option<&str>,
    outputs: &[(String, Tensor)],
    wanted: &[Wanted],
) -> Result<Encoded, serde_json::Error> {
    let mut binary = Vec::new();
    let mut written = Vec::with_capacity(outputs.len());
    for ((name, tensor), wanted) in outputs.iter().zip(wanted) {
        let size = wanted.binary.then(|| BinarySize {
            binary_data_size: tensor.data.write_binary(&mut binary),
        });
        written.push(WrittenOutput {
            name,
            datatype: tensor.data.datatype().to_string(),
            shape: &tensor.shape,
            data: size.is_none().then_some(&tensor.data),
            parameters: size,
        });
    }
    let mut body = serde_json::to_vec(&Written {
        model_name: model,
        model_version: version,
        id,
        outputs: written,
    })?;
    let header_length = wanted
        .iter()
        .any(|wanted| wanted.binary)
        .then_some(body.len());
    body.append(&mut binary);
    Ok(Encoded {
        body,
        header_length,
    })
}

impl Encoded {
    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        let kind = if self.header_length.is_some() {
            "application/octet-stream"
        } else {
            "application/json"
        };
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
        if let Some(length) = self.header_length {
            response.headers_mut().insert(HEADER_LENGTH, length.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_binary_outputs_stand_side_by_side() {
        let tensor = Tensor {
            shape: vec![1, 2],
            data: Data::Fp32(vec![1.0, 2.5]),
        };
        let outputs = [("a".to_owned(), tensor.clone()), ("b".to_owned(), tensor)];
        let wanted = |binary: [bool; 2]| {
            ["a", "b"]
                .into_iter()
                .zip(binary)
                .map(|(name, binary)| Wanted {
                    name: name.into(),
                    binary,
                })
                .collect::<Vec<_>>()
        };
        let json = encode("m", "3", Some("7"), &outputs, &wanted([false, false])).unwrap();
        assert_eq!(json.header_length, None);
        let text = r#"{"model_name":"m","model_version":"3","id":"7","outputs":[{"name":"a","datatype":"FP32","shape":[1,2],"data":[1.0,2.5]},{"name":"b","datatype":"FP32","shape":[1,2],"data":[1.0,2.5]}]}"#;
        assert_eq!(String::from_utf8(json.body).unwrap(), text);

        let mixed = encode("m", "3", None, &outputs, &wanted([false, true])).unwrap();
        let (header, binary) = mixed.body.split_at(mixed.header_length.unwrap());
        assert!(String::from_utf8_lossy(header).ends_with(
            r#"{"name":"b","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}}]}"#
        ));
        assert_eq!(binary, [0, 0, 128, 63, 0, 0, 32, 64]);
    }
}
