//! An inference request: JSON, with tensors in JSON or as binary data behind it, checked against the model.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::datatype::Datatype;
use crate::json_tensor;
use crate::signature::{Port, Signature};
use crate::tensor::{Data, Tensor, count};

type Parameters = Map<String, Value>;

#[derive(Deserialize)]
struct Written<'a> {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    parameters: Parameters,
    #[serde(borrow)]
    inputs: Vec<WrittenInput<'a>>,
    #[serde(default)]
    outputs: Vec<WrittenOutput>,
}

#[derive(Deserialize)]
struct WrittenInput<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    datatype: Cow<'a, str>,
    shape: Vec<i64>,
    #[serde(default)]
    parameters: Parameters,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WrittenOutput {
    name: String,
    #[serde(default)]
    parameters: Parameters,
}

/// A request that suits its model.
#[derive(Debug)]
pub(crate) struct Request {
    /// The client's own name for the request, given back to it.
    pub(crate) id: Option<String>,
    pub(crate) inputs: Vec<(String, Tensor)>,
    /// What to give, in this order.
    pub(crate) outputs: Vec<Wanted>,
}

/// An output that is asked for.
#[derive(Debug, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    /// As binary data rather than as JSON.
    pub(crate) binary: bool,
}

/// Reads a request. `header_length` is the length of the JSON where binary data follows it.
pub(crate) fn parse(
    body: &[u8],
    header_length: Option<&str>,
    signature: &Signature,
) -> Result<Request, String> {
    let (json, binary) = split(body, header_length)?;
    let written: Written<'_> = serde_json::from_slice(json)
        .map_err(|e| format!("the request is not as the protocol says: {e}"))?;
    let mut problems = Vec::new();
    let inputs = inputs(&written.inputs, binary, signature, &mut problems);
    let outputs = outputs(&written, signature, &mut problems);
    if problems.is_empty() {
        Ok(Request {
            id: written.id,
            inputs,
            outputs,
        })
    } else {
        Err(problems.join("; "))
    }
}

/// The JSON and the binary data behind it.
fn split<'a>(body: &'a [u8], header_length: Option<&str>) -> Result<(&'a [u8], &'a [u8]), String> {
    let Some(text) = header_length else {
        return Ok((body, &[]));
    };
    let length = text
        .trim()
        .parse::<usize>()
        .map_err(|_| format!("Inference-Header-Content-Length is no length: `{text}`"))?;
    body.split_at_checked(length).ok_or_else(|| {
        format!(
            "Inference-Header-Content-Length is {length}, and the body has {} bytes",
            body.len()
        )
    })
}

fn inputs(
    written: &[WrittenInput<'_>],
    binary: &[u8],
    signature: &Signature,
    problems: &mut Vec<String>,
) -> Vec<(String, Tensor)> {
    let mut found: Vec<(String, Tensor)> = Vec::with_capacity(written.len());
    let mut names = Vec::with_capacity(written.len());
    let mut rest = binary;
    for input in written {
        let name = shortened(&input.name);
        // The binary data of a wrong input is passed over, so that what is said about the next ones is true.
        let bytes = match binary_size(input) {
            Ok(None) => None,
            Ok(Some(size)) => match rest.split_at_checked(size) {
                Some((bytes, others)) => {
                    rest = others;
                    Some(bytes)
                }
                None => {
                    problems.push(format!(
                        "input `{name}`: its binary_data_size is {size}, and {} bytes are left",
                        rest.len()
                    ));
                    return found;
                }
            },
            Err(e) => {
                problems.push(format!("input `{name}`: {e}"));
                return found;
            }
        };
        if names.contains(&input.name) {
            problems.push(format!("input `{name}` is given twice"));
            continue;
        }
        names.push(input.name.clone());
        match signature.input(&input.name) {
            None => problems.push(format!(
                "the model has no input `{name}`; it has {}",
                listed(&signature.inputs)
            )),
            Some(port) => match tensor(input, bytes, port) {
                Ok(tensor) => found.push((port.name.clone(), tensor)),
                Err(e) => problems.push(format!("input `{name}`: {e}")),
            },
        }
    }
    if !rest.is_empty() {
        problems.push(format!(
            "{} bytes of binary data belong to no input",
            rest.len()
        ));
    }
    for port in &signature.inputs {
        if !names.iter().any(|name| **name == port.name) {
            problems.push(format!(
                "input `{}` ({} {:?}) is missing",
                port.name, port.datatype, port.shape
            ));
        }
    }
    found
}

fn binary_size(input: &WrittenInput<'_>) -> Result<Option<usize>, String> {
    if input.parameters.contains_key("shared_memory_region") {
        return Err("shared memory is not supported; send the data".to_owned());
    }
    let Some(size) = input.parameters.get("binary_data_size") else {
        return Ok(None);
    };
    let size = size.as_u64().and_then(|size| usize::try_from(size).ok());
    size.map(Some)
        .ok_or_else(|| "its binary_data_size is no length".to_owned())
}

fn tensor(input: &WrittenInput<'_>, binary: Option<&[u8]>, port: &Port) -> Result<Tensor, String> {
    let datatype: Datatype = input.datatype.parse()?;
    if datatype != port.datatype {
        return Err(format!("the model takes {}, not {datatype}", port.datatype));
    }
    let shape: Result<Vec<usize>, _> = input
        .shape
        .iter()
        .map(|dimension| usize::try_from(*dimension))
        .collect();
    let shape =
        shape.map_err(|_| format!("its shape {:?} has a negative dimension", input.shape))?;
    if !port.accepts(&shape) {
        return Err(format!(
            "the model takes the shape {:?} (-1: any length), not {shape:?}",
            port.shape
        ));
    }
    let count = count(&shape)
        .ok_or_else(|| format!("its shape {shape:?} has more elements than can be counted"))?;
    let data = match (binary, input.data) {
        (Some(_), Some(_)) => return Err("it has both data and binary_data_size".to_owned()),
        (None, None) => return Err("it has neither data nor binary_data_size".to_owned()),
        (Some(bytes), None) => Data::from_binary(datatype, count, bytes)?,
        (None, Some(text)) => json_tensor::parse(datatype, &shape, count, text)?,
    };
    Ok(Tensor { shape, data })
}

fn outputs(
    written: &Written<'_>,
    signature: &Signature,
    problems: &mut Vec<String>,
) -> Vec<Wanted> {
    let all_binary = flag(&written.parameters, "binary_data_output", problems).unwrap_or(false);
    if written.outputs.is_empty() {
        let wanted = |port: &Port| Wanted {
            name: port.name.clone(),
            binary: all_binary,
        };
        return signature.outputs.iter().map(wanted).collect();
    }
    let mut found: Vec<Wanted> = Vec::with_capacity(written.outputs.len());
    for output in &written.outputs {
        let name = shortened(&output.name);
        if let Some(parameter) = ["classification", "shared_memory_region"]
            .iter()
            .find(|p| output.parameters.contains_key(**p))
        {
            problems.push(format!("output `{name}`: `{parameter}` is not supported"));
        }
        if found.iter().any(|other| other.name == output.name) {
            problems.push(format!("output `{name}` is asked for twice"));
        } else if signature.output(&output.name).is_none() {
            problems.push(format!(
                "the model has no output `{name}`; it has {}",
                listed(&signature.outputs)
            ));
        } else {
            let binary = flag(&output.parameters, "binary_data", problems).unwrap_or(all_binary);
            found.push(Wanted {
                name: output.name.clone(),
                binary,
            });
        }
    }
    found
}

fn flag(parameters: &Parameters, name: &str, problems: &mut Vec<String>) -> Option<bool> {
    let value = parameters.get(name)?;
    if value.as_bool().is_none() {
        problems.push(format!("the parameter {name} must be true or false"));
    }
    value.as_bool()
}

fn listed(ports: &[Port]) -> String {
    let ports: Vec<_> = ports
        .iter()
        .map(|p| format!("`{}` ({} {:?})", p.name, p.datatype, p.shape))
        .collect();
    if ports.is_empty() {
        "none".to_owned()
    } else {
        ports.join(", ")
    }
}

/// A client's own word in an error message, at a length that suits one.
fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature() -> Signature {
        let port = |name: &str, datatype| Port {
            name: name.into(),
            datatype,
            shape: vec![-1, 2],
        };
        Signature {
            inputs: vec![port("x", Datatype::Fp32), port("n", Datatype::Int64)],
            outputs: vec![port("y", Datatype::Fp32), port("z", Datatype::Fp32)],
        }
    }

    const X: &str = r#"{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}"#;
    const N: &str = r#"{"name":"n","datatype":"INT64","shape":[1,2],"data":[[3,4]]}"#;

    fn read(json: &str) -> Result<Request, String> {
        parse(json.as_bytes(), None, &signature())
    }

    #[test]
    fn json_tensors_are_read() {
        let request = read(&format!(r#"{{"id":"a","inputs":[{N},{X}]}}"#)).unwrap();
        assert_eq!(request.id.as_deref(), Some("a"));
        assert_eq!(
            request.inputs[0],
            (
                "n".to_owned(),
                Tensor {
                    shape: vec![1, 2],
                    data: Data::Int64(vec![3, 4])
                }
            )
        );
        let names: Vec<_> = request
            .outputs
            .iter()
            .map(|o| (o.name.as_str(), o.binary))
            .collect();
        assert_eq!(names, [("y", false), ("z", false)]);
    }

    #[test]
    fn binary_tensors_follow_in_the_order_of_the_inputs() {
        let x =
            r#"{"name":"x","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}}"#;
        let n =
            r#"{"name":"n","datatype":"INT64","shape":[1,2],"parameters":{"binary_data_size":16}}"#;
        let json = format!(
            r#"{{"inputs":[{n},{x}],"parameters":{{"binary_data_output":true}},"outputs":[{{"name":"z"}},{{"name":"y","parameters":{{"binary_data":false}}}}]}}"#
        );
        let mut body = json.clone().into_bytes();
        Data::Int64(vec![5, 6]).write_binary(&mut body);
        Data::Fp32(vec![0.5, 1.5]).write_binary(&mut body);
        let length = json.len().to_string();
        let request = parse(&body, Some(&length), &signature()).unwrap();
        assert_eq!(request.inputs[0].1.data, Data::Int64(vec![5, 6]));
        assert_eq!(request.inputs[1].1.data, Data::Fp32(vec![0.5, 1.5]));
        let expected = [
            Wanted {
                name: "z".into(),
                binary: true,
            },
            Wanted {
                name: "y".into(),
                binary: false,
            },
        ];
        assert_eq!(request.outputs, expected);
        body.push(0);
        assert!(
            parse(&body, Some(&length), &signature())
                .unwrap_err()
                .contains("belong to no input")
        );
        body.truncate(body.len() - 4);
        assert!(
            parse(&body, Some(&length), &signature())
                .unwrap_err()
                .contains("are left")
        );
        for wrong in ["-1", "x", "99999999", "18446744073709551616"] {
            assert!(
                parse(&body, Some(wrong), &signature())
                    .unwrap_err()
                    .contains("Inference-Header-Content-Length")
            );
        }
    }

    #[test]
    fn every_problem_is_said_at_once() {
        let error = read(
            r#"{"inputs":[{"name":"x","datatype":"FP64","shape":[1,2],"data":[1,2]},{"name":"w","datatype":"FP32","shape":[1],"data":[1]}],"outputs":[{"name":"q"}]}"#,
        )
        .unwrap_err();
        for part in [
            "the model takes FP32, not FP64",
            "no input `w`; it has `x` (FP32 [-1, 2])",
            "input `n` (INT64 [-1, 2]) is missing",
            "no output `q`",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let x =
            |rest: &str| format!(r#"{{"inputs":[{N},{{"name":"x","datatype":"FP32",{rest}}}]}}"#);
        let cases = [
            (
                r#""shape":[1,3],"data":[1,2,3]"#.to_owned(),
                "takes the shape [-1, 2]",
            ),
            (r#""shape":[-1,2],"data":[1,2]"#.to_owned(), "negative"),
            (
                r#""shape":[4611686018427387904,2],"data":[1,2]"#.to_owned(),
                "there are 2",
            ),
            (
                r#""shape":[9223372036854775807,2],"data":[1,2]"#.to_owned(),
                "there are 2",
            ),
            (r#""shape":[1,2]"#.to_owned(), "neither data nor"),
            (
                r#""shape":[1,2],"data":[1,2],"parameters":{"binary_data_size":0}"#.to_owned(),
                "both data and",
            ),
            (
                r#""shape":[1,2],"parameters":{"binary_data_size":-1}"#.to_owned(),
                "no length",
            ),
            (
                r#""shape":[1,2],"parameters":{"shared_memory_region":"r"}"#.to_owned(),
                "shared memory",
            ),
        ];
        for (rest, part) in cases {
            let error = read(&x(&rest)).unwrap_err();
            assert!(
                error.contains("input `x`") && (error.contains(part) || error.contains("counted")),
                "{rest}: {error}"
            );
        }
        for wrong in ["", "{", "null", "[]", "{}", r#"{"inputs":7}"#, "\u{0}"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(
            read(&format!(r#"{{"inputs":[{X},{X},{N}]}}"#))
                .unwrap_err()
                .contains("twice")
        );
    }
}
