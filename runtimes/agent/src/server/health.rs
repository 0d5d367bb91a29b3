//! Asks a service how it is.

use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::Request;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::messages::HealthCheck;

/// Watches a service until it has to be restarted; says why. `healthy` is called each time it becomes healthy,
/// `failing` with what is wrong each time a check fails.
pub(super) async fn watch(
    check: &HealthCheck,
    port: u16,
    mut healthy: impl FnMut(),
    mut failing: impl FnMut(&str),
) -> String {
    let start_deadline = Instant::now() + Duration::from_millis(check.start_deadline_ms);
    let mut is_healthy = false;
    let (mut good, mut bad) = (0, 0);
    loop {
        match probe(check, port).await {
            Ok(()) => {
                (good, bad) = (good + 1, 0);
                if !is_healthy && good >= check.healthy_threshold {
                    is_healthy = true;
                    healthy();
                }
            }
            Err(reason) => {
                (good, bad) = (0, bad + 1);
                failing(&reason);
                if is_healthy && bad >= check.unhealthy_threshold {
                    return format!(
                        "{bad} health checks in a row failed, the last because {reason}"
                    );
                }
                if !is_healthy && Instant::now() >= start_deadline {
                    let deadline = Duration::from_millis(check.start_deadline_ms);
                    return format!("it did not become healthy within {deadline:?}: {reason}");
                }
            }
        }
        let interval = Duration::from_millis(check.interval_ms);
        // Until it is healthy for the first time, look often: a user waits for it.
        tokio::time::sleep(if is_healthy {
            interval
        } else {
            interval.min(Duration::from_millis(100))
        })
        .await;
    }
}

async fn probe(check: &HealthCheck, port: u16) -> Result<(), String> {
    let timeout = Duration::from_millis(check.timeout_ms);
    match tokio::time::timeout(timeout, get(&check.http_path, port)).await {
        Ok(Ok(status)) if (200..300).contains(&status) => Ok(()),
        Ok(Ok(status)) => Err(format!(
            "GET {} on port {port} answered {status}",
            check.http_path
        )),
        Ok(Err(cause)) => Err(format!(
            "GET {} on port {port} failed: {cause}",
            check.http_path
        )),
        Err(_) => Err(format!(
            "GET {} on port {port} took longer than {timeout:?}",
            check.http_path
        )),
    }
}

async fn get(path: &str, port: u16) -> Result<u16, String> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let request = Request::get(path)
        .header("host", format!("127.0.0.1:{port}"))
        .header("connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    // A set ends its tasks when it is dropped, so a check leaves nothing behind.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| error.to_string())?;
    Ok(response.status().as_u16())
}
