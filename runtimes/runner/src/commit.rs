//! Which commit the code of a run was.

use std::path::Path;

use tokio::process::Command;

/// The commit of the folder, with `+dirty` when files in it differ from it; `None` where there is no repository, no
/// commit or no `git`.
pub(crate) async fn of(folder: &Path) -> Option<String> {
    let head = git(folder, &["rev-parse", "--verify", "HEAD"]).await?;
    let head = head.trim();
    if head.is_empty() || !head.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let changes = git(folder, &["status", "--porcelain", "--", "."]).await?;
    let mark = if changes.trim().is_empty() {
        ""
    } else {
        "+dirty"
    };
    Some(format!("{head}{mark}"))
}

async fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    // Asking must neither write to the repository nor run what its configuration names.
    command
        .arg("-C")
        .arg(folder)
        .args(["-c", "core.fsmonitor=false", "--no-optional-locks"])
        .args(arguments);
    let output = command
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .ok()?;
    if !output.status.success() {
        return None;
    }
    String::from_utf8(output.stdout).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(folder: &Path, arguments: &[&str]) {
        let identity = [
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "commit.gpgsign=false",
        ];
        let status = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(identity)
            .args(arguments)
            .output()
            .await
            .unwrap();
        assert!(
            status.status.success(),
            "{}",
            String::from_utf8_lossy(&status.stderr)
        );
    }

    #[tokio::test]
    async fn the_commit_is_known_and_whether_it_is_all() {
        let folder = tempfile::tempdir().unwrap();
        let code = folder.path().join("train");
        std::fs::create_dir(&code).unwrap();
        std::fs::write(code.join("train.py"), "1").unwrap();
        assert_eq!(of(&code).await, None);
        run(folder.path(), &["init", "-q"]).await;
        assert_eq!(
            of(&code).await,
            None,
            "a repository without a commit has none"
        );
        run(folder.path(), &["add", "."]).await;
        run(folder.path(), &["commit", "-qm", "one"]).await;
        let clean = of(&code).await.unwrap();
        assert_eq!(clean.len(), 40);
        std::fs::write(folder.path().join("outside"), "x").unwrap();
        assert_eq!(
            of(&code).await.as_ref(),
            Some(&clean),
            "what lies outside of the folder is not its code"
        );
        std::fs::write(code.join("train.py"), "2").unwrap();
        assert_eq!(of(&code).await, Some(format!("{clean}+dirty")));
    }
}
