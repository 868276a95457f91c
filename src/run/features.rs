//! Reading, checking and choosing features, before anything is started.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cucumber::feature::Ext as _;
use cucumber::tag::Ext as _;
use gherkin::tagexpr::TagOperation;
use gherkin::{Feature, GherkinEnv, Step};

use crate::lab::manifest::{self, ManifestError};
use crate::steps;

/// Why features cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    /// A file or folder is not there.
    #[error("there is no feature {}; name a .feature file or a folder with some", path.display())]
    Missing {
        /// The path as it was given.
        path: PathBuf,
    },
    /// A folder holds no feature.
    #[error("{} holds no .feature file", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A folder could not be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no Gherkin.
    #[error("{}{}: {why}", path.display(), place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default())]
    Gherkin {
        /// The file.
        path: PathBuf,
        /// Line and column, from 1.
        place: Option<(usize, usize)>,
        /// What is wrong.
        why: String,
    },
    /// Steps are no sentences.
    #[error("{}", list.join("\n"))]
    UnknownSteps {
        /// Each with its place and the nearest sentence.
        list: Vec<String>,
    },
    /// A feature has no scenario.
    #[error("{file} has no scenario; a misspelt keyword is read as a description")]
    NoScenarios {
        /// The file.
        file: String,
    },
    /// A scenario promises nothing.
    #[error("{file}:{line}: scenario \"{name}\" has no steps, so it could only pass")]
    NoSteps {
        /// The file.
        file: String,
        /// The line of the scenario.
        line: usize,
        /// The scenario's name.
        name: String,
    },
    /// A manifest that a step names is none.
    #[error("{place}: {why}")]
    Manifest {
        /// File and line of the step.
        place: String,
        /// What is wrong with the manifest.
        why: ManifestError,
    },
    /// The tag expression is none.
    #[error("\"{expression}\" is no tag expression; an example: \"@fault and not @slow\"")]
    Tags {
        /// The expression.
        expression: String,
    },
    /// Nothing is left to run.
    #[error("no scenario of {files} matches{filter}; a run of nothing would prove nothing")]
    NothingChosen {
        /// The files.
        files: String,
        /// The filters.
        filter: String,
    },
}

/// Which scenarios are chosen.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// A tag expression.
    pub tags: Option<String>,
    /// A part of the scenario's name.
    pub name: Option<String>,
}

/// Reads the features of some files and folders, checks every step, and keeps what was chosen.
///
/// # Errors
/// [`FeatureError`], with file and line.
pub fn load(paths: &[PathBuf], choice: &Choice) -> Result<Vec<Feature>, FeatureError> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)?;
    }
    let mut features = Vec::with_capacity(files.len());
    for file in &files {
        features.push(read(file)?);
    }
    check(&features)?;
    check_manifests(&features)?;
    choose(features, choice, &files)
}

/// The feature files of a path, folders in the order of their names.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), FeatureError> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    if !path.is_dir() {
        return Err(FeatureError::Missing {
            path: path.to_owned(),
        });
    }
    let before = files.len();
    walk(path, files)?;
    if files.len() == before {
        return Err(FeatureError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(())
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), FeatureError> {
    let cannot = |source| FeatureError::Read {
        path: folder.to_owned(),
        source,
    };
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(cannot)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(cannot)?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            walk(&entry, files)?;
        } else if entry
            .extension()
            .is_some_and(|extension| extension == "feature")
        {
            files.push(entry);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Feature, FeatureError> {
    let broken = |place, why: String| FeatureError::Gherkin {
        path: path.to_owned(),
        place,
        why,
    };
    let feature = Feature::parse_path(path, GherkinEnv::default()).map_err(|error| {
        let texts = std::iter::successors(
            Some(&error as &(dyn std::error::Error + 'static)),
            |error| (*error).source(),
        );
        let why = texts.last().map(ToString::to_string).unwrap_or_default();
        let (place, why) = place_of(&why);
        broken(place, why)
    })?;
    feature.expand_examples().map_err(|error| {
        let place = (error.pos.line, error.pos.col);
        broken(
            Some(place),
            format!("no column \"{}\" in the examples", error.name),
        )
    })
}

/// Line and column, which the parser puts before its text: `Error at 5:15: unknown keyword`.
fn place_of(text: &str) -> (Option<(usize, usize)>, String) {
    let found = (|| {
        let (_, rest) = text.split_once("rror at ")?;
        let (place, why) = rest.split_once(": ")?;
        let (line, column) = place.split_once(':')?;
        Some(((line.parse().ok()?, column.parse().ok()?), why.to_owned()))
    })();
    match found {
        Some((place, why)) => {
            // The parser lists what it expected: `{"_", "unknown keyword"}`.
            let expected: Vec<&str> = why
                .trim_matches(['{', '}'])
                .split(", ")
                .map(|item| item.trim_matches('"'))
                .filter(|item| *item != "_" && !item.is_empty())
                .collect();
            (
                Some(place),
                format!("this is no Gherkin: {}", expected.join(", ")),
            )
        }
        None => (None, text.to_owned()),
    }
}

/// Every step is a sentence, and every scenario has some.
fn check(features: &[Feature]) -> Result<(), FeatureError> {
    let mut unknown = Vec::new();
    for feature in features {
        let file = file_of(feature);
        let mut look = |steps: &[Step]| {
            for step in steps {
                if steps::find(&step.value).is_none() {
                    let line = step.position.line;
                    unknown.push(format!("{file}:{line}: {}", steps::unknown(&step.value)));
                }
            }
        };
        look(
            feature
                .background
                .as_ref()
                .map_or(&[], |background| background.steps.as_slice()),
        );
        let rules = feature.rules.iter();
        for background in rules.filter_map(|rule| rule.background.as_ref()) {
            look(&background.steps);
        }
        if scenarios(feature).next().is_none() {
            return Err(FeatureError::NoScenarios { file });
        }
        for scenario in scenarios(feature) {
            look(&scenario.steps);
            if scenario.steps.is_empty() {
                return Err(FeatureError::NoSteps {
                    file,
                    line: scenario.position.line,
                    name: scenario.name.clone(),
                });
            }
        }
    }
    unknown.dedup();
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(FeatureError::UnknownSteps { list: unknown })
    }
}

/// Every manifest that a step names is there and can be read.
fn check_manifests(features: &[Feature]) -> Result<(), FeatureError> {
    for feature in features {
        let file = file_of(feature);
        let background = feature
            .background
            .iter()
            .flat_map(|background| &background.steps);
        let steps = background.chain(scenarios(feature).flat_map(|scenario| &scenario.steps));
        for step in steps {
            for manifest in steps::manifests(step) {
                let read = manifest::find(&manifest, Path::new(&file))
                    .and_then(|path| manifest::read(&manifest, &path));
                if let Err(why) = read {
                    let place = format!("{file}:{}", step.position.line);
                    return Err(FeatureError::Manifest { place, why });
                }
            }
        }
    }
    Ok(())
}

/// All scenarios of a feature, those of its rules included.
fn scenarios(feature: &Feature) -> impl Iterator<Item = &gherkin::Scenario> {
    feature
        .scenarios
        .iter()
        .chain(feature.rules.iter().flat_map(|rule| &rule.scenarios))
}

/// The file of a feature as it was named.
#[must_use]
pub fn file_of(feature: &Feature) -> String {
    feature
        .path
        .as_ref()
        .map_or_else(String::new, |path| path.display().to_string())
}

fn choose(
    features: Vec<Feature>,
    choice: &Choice,
    files: &[PathBuf],
) -> Result<Vec<Feature>, FeatureError> {
    let tags: Option<TagOperation> = match &choice.tags {
        Some(text) => Some(text.parse().map_err(|_| FeatureError::Tags {
            expression: text.clone(),
        })?),
        None => None,
    };
    let mut chosen = Vec::new();
    for mut feature in features {
        let of_feature = feature.tags.clone();
        let fits = |scenario: &gherkin::Scenario, of_rule: &[String]| {
            let all = || scenario.tags.iter().chain(&of_feature).chain(of_rule);
            let by_tags = tags.as_ref().is_none_or(|tags| tags.eval(all()));
            let by_name = choice
                .name
                .as_ref()
                .is_none_or(|name| scenario.name.contains(name));
            by_tags && by_name
        };
        feature.scenarios.retain(|scenario| fits(scenario, &[]));
        for rule in &mut feature.rules {
            let of_rule = rule.tags.clone();
            rule.scenarios.retain(|scenario| fits(scenario, &of_rule));
        }
        if scenarios(&feature).next().is_some() {
            chosen.push(feature);
        }
    }
    if chosen.is_empty() {
        let names: Vec<String> = files
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        let mut filter = String::new();
        if let Some(tags) = &choice.tags {
            let _ = write!(filter, " --tags \"{tags}\"");
        }
        if let Some(name) = &choice.name {
            let _ = write!(filter, " --name \"{name}\"");
        }
        return Err(FeatureError::NothingChosen {
            files: names.join(", "),
            filter,
        });
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str, choice: &Choice) -> Result<Vec<Feature>, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.feature"), text).unwrap();
        load(&[folder.path().to_owned()], choice).map_err(|error| {
            error
                .to_string()
                .replace(&folder.path().display().to_string(), "DIR")
        })
    }

    #[test]
    fn what_cannot_be_run_is_said_with_its_place() {
        let good = "Feature: F\n  Scenario: S\n    When I delete the namespace\n";
        assert_eq!(load_text(good, &Choice::default()).unwrap().len(), 1);
        let tags = |text: &str| Choice {
            tags: Some(text.to_owned()),
            name: None,
        };
        for (text, choice, message) in [
            (
                "Feature: F\n  Scenari: S\n",
                Choice::default(),
                "DIR/a.feature has no scenario",
            ),
            (
                "Scenario: S\n    When I delete the namespace\n",
                Choice::default(),
                // What the parser did not understand is behind the line that has no feature.
                "DIR/a.feature:2:2: this is no Gherkin: unknown keyword",
            ),
            (
                "Feature: F\n  Scenario: S\n    When I delete the namspace\n",
                Choice::default(),
                "DIR/a.feature:3: no sentence reads \"I delete the namspace\"; the nearest is \"I \
                 delete the namespace\"",
            ),
            (
                "Feature: F\n  Scenario: S\n",
                Choice::default(),
                "DIR/a.feature:2: scenario \"S\" has no steps",
            ),
            (
                good,
                tags("@nope"),
                "no scenario of DIR/a.feature matches --tags \"@nope\"",
            ),
            (good, tags("@a and"), "\"@a and\" is no tag expression"),
        ] {
            let error = load_text(text, &choice).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn tags_of_the_feature_count_for_its_scenarios() {
        let text = "@all\nFeature: F\n  @one\n  Scenario: A\n    When I delete the namespace\n  \
                    Scenario: B\n    When I delete the namespace\n";
        let count = |tags: &str| {
            let choice = Choice {
                tags: Some(tags.to_owned()),
                name: None,
            };
            load_text(text, &choice).map_or(0, |features| features[0].scenarios.len())
        };
        assert_eq!(
            (count("@all"), count("@one"), count("@all and not @one")),
            (2, 1, 1)
        );
    }
}
