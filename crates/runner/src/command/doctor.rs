//! `retrial doctor`: what this machine has and lacks.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::{print_json, table};
use crate::cli::{DoctorArgs, Format};
use crate::devices::{Device, Devices};
use crate::execute::executable::Executable;
use crate::execute::provenance::{cpu_features, cpu_model};
use crate::failure::Failure;
use crate::program::{Call, Program};

pub(crate) fn run(call: &Call<'_>, args: &DoctorArgs) -> Result<(), Failure> {
    let (program, devices) = (call.program, call.program.devices);
    let asked = devices.named(&args.device).map_err(Failure::usage)?;
    let workspace = call.workspace().ok();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let cuda_card = first_line(
        "nvidia-smi",
        &["--query-gpu=name,memory.total", "--format=csv,noheader"],
    );
    let device = state(devices, &asked);
    let cuda_state = match devices.named("cuda") {
        Ok(cuda) if cuda == asked => device.clone(),
        Ok(cuda) => state(devices, &cuda),
        Err(why) => why,
    };
    let memory = memory_gib();
    let disk = workspace
        .as_ref()
        .and_then(|w| free_gib(&w.root).map(|free| (w.root.clone(), free)));
    let cache = workspace
        .as_ref()
        .map(|w| (w.cache.clone(), folder_bytes(&w.cache)));
    let facts = [
        ("CPU", cpu_model()),
        ("CPU features", cpu_features().join(" ")),
        ("threads", threads.to_string()),
        (
            "memory",
            memory.map_or_else(
                || "unknown".to_owned(),
                |(total, free)| format!("{total:.1} GiB, {free:.1} GiB free"),
            ),
        ),
        (
            "disk",
            disk.as_ref().map_or_else(
                || "unknown".to_owned(),
                |(_, free)| format!("{free:.1} GiB free here"),
            ),
        ),
        ("device", format!("{}: {device}", asked.name)),
        (
            "CUDA card",
            cuda_card.clone().unwrap_or_else(|| "none found".to_owned()),
        ),
        ("CUDA", cuda_state.clone()),
        (
            "project",
            workspace
                .as_ref()
                .map_or_else(|| "none around this folder".to_owned(), |w| shown(&w.root)),
        ),
        (
            "data cache",
            cache.as_ref().map_or_else(
                || "unknown".to_owned(),
                |(path, bytes)| format!("{}, {:.1} MB", path.display(), *bytes as f64 / 1e6),
            ),
        ),
        (
            "data mirror",
            workspace
                .as_ref()
                .and_then(|w| w.mirror.as_ref())
                .map_or_else(
                    || "none (RETRIAL_MIRROR is not set)".to_owned(),
                    |m| m.display().to_string(),
                ),
        ),
        (
            "git",
            first_line("git", &["--version"])
                .unwrap_or_else(|| "absent: records will lack the source revision".to_owned()),
        ),
        (
            "pip",
            first_line("pip", &["--version"])
                .unwrap_or_else(|| "absent: data in Python packages are out of reach".to_owned()),
        ),
        (
            "npm",
            first_line("npm", &["--version"])
                .unwrap_or_else(|| "absent: data in npm packages are out of reach".to_owned()),
        ),
    ];
    if args.format == Format::Json {
        return print_json(&json!({
            "version": program.build.version,
            "cpu": cpu_model(),
            "cpu_features": cpu_features(),
            "threads": threads,
            "memory_gib": memory.map(|(total, _)| total),
            "memory_free_gib": memory.map(|(_, free)| free),
            "disk_free_gib": disk.map(|(_, free)| free),
            "device": { "name": asked.name, "state": device },
            "cuda": { "card": cuda_card, "state": cuda_state },
            "cache": cache.as_ref().map(|(path, _)| path),
            "cache_bytes": cache.as_ref().map(|(_, bytes)| bytes),
        }));
    }
    let mut rows = table(&["", "this machine"]);
    for (name, fact) in facts {
        rows.add_row([name.to_owned(), fact]);
    }
    say!("{rows}");
    Ok(())
}

/// Whether a device computes, in words.
fn state(devices: &dyn Devices, device: &Device) -> String {
    devices.probe(device).map_or_else(
        |why| why,
        |()| "computes and differentiates correctly".to_owned(),
    )
}

/// Tries a device in a process of its own: what the driver keeps of it is free again afterwards,
/// and a driver that ends the process ends nothing else.
///
/// # Errors
/// [`Failure::Usage`] where it does not compute.
pub(crate) fn try_device(name: &str) -> Result<(), Failure> {
    let wrong = |error: std::io::Error| Failure::usage(format!("device `{name}`: {error}"));
    let executable = Executable::running().map_err(wrong)?;
    let mut command = executable.command();
    command.args(["worker", "--probe", name]);
    let output = command.output().map_err(wrong)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Err(Failure::usage(match said.trim() {
        "" => format!("device `{name}` does not work: {}", output.status),
        why => why.to_owned(),
    }))
}

/// The process of [`try_device`].
pub(crate) fn probe_here(program: &Program, name: &str) -> ExitCode {
    let devices = program.devices;
    match devices
        .named(name)
        .and_then(|device| devices.probe(&device))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn shown(path: &Path) -> String {
    let here = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    here.canonicalize().map_or_else(
        |_| here.display().to_string(),
        |real| real.display().to_string(),
    )
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = std::process::Command::new(program)
        .args(arguments)
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().map(|line| line.trim().to_owned())
}

/// Total and available memory.
fn memory_gib() -> Option<(f64, f64)> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let kib = |key: &str| -> Option<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let gib = 1024.0 * 1024.0;
    Some((kib("MemTotal:")? / gib, kib("MemAvailable:")? / gib))
}

fn free_gib(folder: &Path) -> Option<f64> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let output = std::process::Command::new("df")
        .arg("-Pk")
        .arg(folder)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let kib: f64 = text
        .lines()
        .nth(1)?
        .split_whitespace()
        .nth(3)?
        .parse()
        .ok()?;
    Some(kib / 1024.0 / 1024.0)
}

fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => folder_bytes(&entry.path()),
            Ok(data) => data.len(),
            Err(_) => 0,
        })
        .sum()
}
