//! Scenario tables: stories in `scenarios/*.txt`, told to a real machine line by line.

use std::collections::BTreeSet;
use std::path::Path;

use mainstay_core::EventKind;

mod shelf;
mod story;

use story::{World, read};

/// Tells every story of one file; gives how many there are, and notes the kinds of events that came of them.
fn tell(path: &Path, kinds: &mut BTreeSet<EventKind>) -> (usize, Vec<String>) {
    let name = format!(
        "core/tests/scenarios/{}",
        path.file_name().unwrap().display()
    );
    let text = std::fs::read_to_string(path).unwrap();
    let stories = match read(&text) {
        Ok(stories) => stories,
        Err((line, error)) => return (0, vec![format!("{name}:{line}: {error}")]),
    };
    let failures = stories.iter().filter_map(|story| match World::tell(story) {
        Ok(met) => {
            kinds.extend(met);
            None
        }
        Err((line, error)) => Some(format!("{name}:{line}: {}\n{error}", story.title)),
    });
    (stories.len(), failures.collect())
}

#[test]
fn every_story_goes_as_it_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let (mut count, mut failures) = (0, Vec::new());
    let mut kinds = BTreeSet::new();
    for path in paths
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
    {
        let (stories, failed) = tell(path, &mut kinds);
        count += stories;
        failures.extend(failed);
    }
    let failed = failures.len();
    assert!(
        failures.is_empty(),
        "{failed} of {count} stories went otherwise:\n\n{}\n",
        failures.join("\n\n")
    );
    assert!(count >= 300, "only {count} stories were found");
    let untold = EventKind::ALL.iter().filter(|kind| !kinds.contains(kind));
    let untold: Vec<&str> = untold.map(|kind| kind.name()).collect();
    assert!(untold.is_empty(), "no story tells of {untold:?}");
}

#[test]
fn a_line_that_goes_otherwise_is_named() {
    let text = "story: wrong\nat 0s submit task=a -> ready a\nat 0s claim -> nothing\n";
    let stories = read(text).unwrap();
    let (line, error) = World::tell(&stories[0]).unwrap_err();
    assert_eq!(line, 3);
    for part in [
        "expected: nothing",
        "got: leased a token=1",
        "running a attempts=1",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_misspelled_line_is_an_error_of_the_table() {
    for wrong in [
        "at 0s submit task=a quee=mail -> ready a",
        "at 0s submt task=a -> ready a",
        "at 5 tick -> nothing",
        "at 0s tick",
    ] {
        let text = format!("story: wrong\n{wrong}\n");
        let told = read(&text).and_then(|stories| World::tell(&stories[0]));
        assert!(told.is_err(), "{wrong}");
    }
}
