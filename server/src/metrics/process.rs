//! What the system says of the process: time, memory, descriptors, threads; from `/proc`, where there is one.

use super::text::Text;

/// Clock ticks per second in `/proc`, on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// The numbers of one look.
#[derive(Debug, Default, PartialEq)]
struct Looked {
    cpu_seconds: f64,
    resident_bytes: f64,
    virtual_bytes: f64,
    threads: f64,
    open_fds: f64,
    max_fds: f64,
}

pub(super) fn write(text: &mut Text) {
    let read =
        |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    // Kernels since 6.2 tell the number as the directory's size; older ones only list it.
    let told = std::fs::metadata("/proc/self/fd").map_or(0, |fd| fd.len());
    let listed = || std::fs::read_dir("/proc/self/fd").map_or(0, |all| all.count() as u64);
    let open_fds = if told > 0 { told } else { listed() };
    let looked = parse(&read("stat"), &read("status"), &read("limits"), open_fds);
    for (name, value) in [
        ("process_cpu_seconds_total", looked.cpu_seconds),
        ("process_resident_memory_bytes", looked.resident_bytes),
        ("process_virtual_memory_bytes", looked.virtual_bytes),
        ("process_open_fds", looked.open_fds),
        ("process_max_fds", looked.max_fds),
        ("process_threads", looked.threads),
    ] {
        text.single(name, value);
    }
}

fn parse(stat: &str, status: &str, limits: &str, open_fds: u64) -> Looked {
    let number = |text: &str| text.parse::<f64>().unwrap_or(0.0);
    // The program's name may hold anything, spaces and brackets too: what counts begins after the last bracket.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks: f64 = after.split_whitespace().skip(11).take(2).map(number).sum();
    let line = |name: &str| {
        let lines = status.lines();
        let value = lines
            .filter_map(|line| line.strip_prefix(name))
            .find_map(|rest| rest.split_whitespace().next());
        value.map_or(0.0, number)
    };
    let max_fds = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|rest| rest.split_whitespace().next());
    Looked {
        cpu_seconds: ticks / TICKS_PER_SECOND,
        resident_bytes: line("VmRSS:") * 1024.0,
        virtual_bytes: line("VmSize:") * 1024.0,
        threads: line("Threads:"),
        open_fds: open_fds as f64,
        max_fds: max_fds.map_or(0.0, number),
    }
}

#[cfg(test)]
mod tests {
    use super::{Looked, parse};

    #[test]
    fn the_systems_files_are_read_whatever_the_program_is_called() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 100 1 1";
        let status = "Name:\tx\nVmSize:\t  2000 kB\nVmRSS:\t 100 kB\nThreads:\t9\n";
        let limits = "Max open files            1024                 4096                 files\n";
        let expected = Looked {
            cpu_seconds: 3.0,
            resident_bytes: 102_400.0,
            virtual_bytes: 2_048_000.0,
            threads: 9.0,
            open_fds: 12.0,
            max_fds: 1024.0,
        };
        assert_eq!(parse(stat, status, limits, 12), expected);
        assert_eq!(parse("", "", "", 0), Looked::default());
    }
}
