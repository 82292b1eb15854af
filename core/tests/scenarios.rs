//! Scenario tables: stories in `scenarios/*.txt`, told to a real machine line by line.

use std::path::Path;

mod shelf;
mod story;

use story::{World, read};

/// Tells every story of one file; gives how many there are.
fn tell(path: &Path) -> (usize, Vec<String>) {
    let name = format!(
        "core/tests/scenarios/{}",
        path.file_name().unwrap().display()
    );
    let text = std::fs::read_to_string(path).unwrap();
    let stories = match read(&text) {
        Ok(stories) => stories,
        Err((line, error)) => return (0, vec![format!("{name}:{line}: {error}")]),
    };
    let failures = stories.iter().filter_map(|story| {
        let (line, error) = World::tell(story).err()?;
        Some(format!("{name}:{line}: {}\n{error}", story.title))
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
    for path in paths
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
    {
        let (stories, failed) = tell(path);
        count += stories;
        failures.extend(failed);
    }
    let failed = failures.len();
    assert!(
        failures.is_empty(),
        "{failed} of {count} stories went otherwise:\n\n{}\n",
        failures.join("\n\n")
    );
    assert!(count >= 130, "only {count} stories were found");
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
