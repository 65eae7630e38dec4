//! Where a trial runs and from what source: everything recorded and never hashed.

use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use retrial_core::record::{Build, ProjectState, Provenance, StageOrigin};
use serde::{Deserialize, Serialize};

/// How a program was built, and from which source, as [`build_info!`](crate::build_info) knows it.
pub struct BuildInfo {
    /// Its version.
    pub version: &'static str,
    /// The commit it was built from, if the build knew it.
    pub revision: Option<&'static str>,
    /// `clean`, or `changed` where the source differed from the commit.
    pub source: Option<&'static str>,
    /// Profile of cargo.
    pub profile: &'static str,
    /// Its cargo features, with blanks between them.
    pub features: &'static str,
    /// The compiler.
    pub rustc: &'static str,
    /// The machine it was built for.
    pub target: &'static str,
    /// The text of the lock file.
    pub lock_file: &'static str,
}

/// The [`BuildInfo`] of the program in whose `main.rs` it stands. Its build script calls
/// `retrial_build_info::emit`.
#[macro_export]
macro_rules! build_info {
    () => {
        $crate::BuildInfo {
            version: env!("CARGO_PKG_VERSION"),
            revision: option_env!("RETRIAL_REVISION"),
            source: option_env!("RETRIAL_SOURCE"),
            profile: env!(
                "RETRIAL_PROFILE",
                "the build script does not call retrial_build_info::emit"
            ),
            features: env!("RETRIAL_FEATURES"),
            rustc: env!("RETRIAL_RUSTC"),
            target: env!("RETRIAL_TARGET"),
            lock_file: include_str!(env!("RETRIAL_LOCK_FILE")),
        }
    };
}

impl BuildInfo {
    /// Version and source, as `--version` prints them.
    pub(crate) fn words(&self) -> String {
        let revision = self.revision.unwrap_or("unknown source");
        let changed = if self.source == Some("changed") {
            ", with uncommitted changes"
        } else {
            ""
        };
        format!("{} ({revision}{changed})", self.version)
    }

    /// The same for records, with the C library that the program runs with.
    fn record(&self) -> Build {
        let libc = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
        let libc = libc.ok().filter(|output| output.status.success());
        let libc = libc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        let features = self.features.split_whitespace();
        Build {
            profile: self.profile.to_owned(),
            features: features.map(str::to_owned).collect(),
            rustc: self.rustc.to_owned(),
            target: self.target.to_owned(),
            c_library: libc.filter(|name| !name.is_empty()),
        }
    }
}

/// The machine, the program and the project, looked up once for all trials of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Host {
    /// Of the program.
    pub(crate) version: String,
    pub(crate) source_revision: Option<String>,
    pub(crate) source_dirty: Option<bool>,
    pub(crate) build: Build,
    pub(crate) project: ProjectState,
    pub(crate) lock_file: String,
    pub(crate) name: String,
    pub(crate) system: String,
    pub(crate) cpu: String,
    pub(crate) cpu_features: Vec<String>,
}

impl Host {
    /// This machine, the program that was built so, and the project at `root`.
    pub(crate) fn look_up(program: &BuildInfo, root: &Path) -> Self {
        let revision = git(root, &["rev-parse", "HEAD"]);
        // Records and reports change while trials run; they are not what trials are made of.
        let others = ["status", "--porcelain", "--", ".", ":!results", ":!reports"];
        let changes = git(root, &others);
        let project = ProjectState {
            dirty: revision.as_ref().and(changes.map(|text| !text.is_empty())),
            revision,
            ..ProjectState::default()
        };
        Self {
            version: program.version.to_owned(),
            source_revision: program.revision.map(str::to_owned),
            source_dirty: program.source.map(|source| source == "changed"),
            build: program.record(),
            project,
            lock_file: retrial_core::hash::content(program.lock_file.as_bytes()),
            name: read("/proc/sys/kernel/hostname").unwrap_or_else(|| "unknown".to_owned()),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            cpu: cpu_model(),
            cpu_features: cpu_features(),
        }
    }

    /// What builds stages here, on a device, at this moment.
    pub(crate) fn origin(&self, device: &str) -> StageOrigin {
        StageOrigin {
            version: self.version.clone(),
            source_revision: self.source_revision.clone(),
            source_dirty: self.source_dirty,
            build: self.build.clone(),
            host: self.name.clone(),
            cpu: self.cpu.clone(),
            device: device.to_owned(),
            finished: rfc3339(SystemTime::now()),
        }
    }

    /// The same, for the trials of one spec.
    pub(crate) fn with_spec(&self, root: &Path, file: &Path) -> Self {
        let mut host = self.clone();
        let bytes = std::fs::read(file).ok();
        host.project.spec = bytes.map(|bytes| retrial_core::hash::content(&bytes));
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let name = file.to_string_lossy();
        let status = ["status", "--porcelain", "--ignored", "-uall", "--", &*name];
        let state = host.project.revision.as_ref().and(git(root, &status));
        host.project.spec_state = state.map(|state| {
            let word = match state.get(..2) {
                None => "committed",
                Some("??" | "!!") => "untracked",
                Some(_) => "changed",
            };
            word.to_owned()
        });
        host
    }
}

/// The provenance of a trial that began at `started` and has run for `duration_s`.
pub(crate) fn provenance(
    host: &Host,
    threads: usize,
    device: &str,
    started: SystemTime,
    duration_s: f64,
) -> Provenance {
    Provenance {
        version: host.version.clone(),
        source_revision: host.source_revision.clone(),
        source_dirty: host.source_dirty,
        build: Some(host.build.clone()),
        project: Some(host.project.clone()),
        lock_file: host.lock_file.clone(),
        host: host.name.clone(),
        system: host.system.clone(),
        cpu: host.cpu.clone(),
        cpu_features: host.cpu_features.clone(),
        threads,
        device: device.to_owned(),
        started: rfc3339(started),
        duration_s: round(duration_s),
        cpu_s: round(cpu_seconds()),
        peak_memory_mib: round(peak_memory_mib()),
    }
}

/// CPU time of this process so far, s.
#[must_use]
pub fn cpu_seconds() -> f64 {
    use nix::sys::resource::{UsageWho, getrusage};
    getrusage(UsageWho::RUSAGE_SELF).map_or(f64::NAN, |usage| {
        let seconds = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 * 1e-6;
        seconds(usage.user_time()) + seconds(usage.system_time())
    })
}

/// Largest resident memory of this process so far, MiB.
fn peak_memory_mib() -> f64 {
    use nix::sys::resource::{UsageWho, getrusage};
    // Linux counts KiB, macOS bytes.
    let unit = if cfg!(target_os = "macos") {
        1.0 / 1024.0
    } else {
        1.0
    };
    getrusage(UsageWho::RUSAGE_SELF).map_or(f64::NAN, |u| u.max_rss() as f64 * unit / 1024.0)
}

/// A time in UTC as `2026-11-21T23:02:22Z`.
///
/// # Source
/// The civil calendar from days: Hinnant 2013, "chrono-compatible low-level date algorithms".
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0));
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let root = if root.as_os_str().is_empty() {
        Path::new(".")
    } else {
        root
    };
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(arguments)
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn read(path: &str) -> Option<String> {
    Some(std::fs::read_to_string(path).ok()?.trim().to_owned())
}

pub(crate) fn cpu_model() -> String {
    let text = read("/proc/cpuinfo").unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or_else(
            || "unknown".to_owned(),
            |(_, model)| model.trim().to_owned(),
        )
}

pub(crate) fn cpu_features() -> Vec<String> {
    #[cfg(target_arch = "x86_64")]
    let found = [
        ("sse4.2", std::arch::is_x86_feature_detected!("sse4.2")),
        ("avx", std::arch::is_x86_feature_detected!("avx")),
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
        ("avx512vl", std::arch::is_x86_feature_detected!("avx512vl")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let found: [(&str, bool); 0] = [];
    found
        .into_iter()
        .filter(|&(_, there)| there)
        .map(|(name, _)| name.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_agree_with_date() {
        // `date -u -d @951827696 +%FT%TZ` and its neighbours.
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (1_795_302_142, "2026-11-21T23:02:22Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }
}
