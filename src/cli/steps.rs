//! `rollout-lab steps`.

use clap::{Args, ValueEnum};
use console::style;

use crate::exit::Exit;
use crate::steps::{Keyword, sentences};

#[derive(Debug, Args)]
pub(super) struct StepsArgs {
    /// Only one language
    #[arg(long, value_enum)]
    lang: Option<Lang>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Lang {
    En,
    Ja,
}

pub(super) fn steps(args: &StepsArgs) -> Exit {
    let mut last = None;
    for sentence in sentences() {
        if last != Some(sentence.keyword) {
            last = Some(sentence.keyword);
            println!("{}", style(heading(sentence.keyword)).bold());
            println!();
        }
        if args.lang != Some(Lang::Ja) {
            println!("  {}", sentence.en);
            println!("      {}", sentence.about_en);
            println!("      {}", style(sentence.example_en).dim());
        }
        if args.lang != Some(Lang::En) {
            println!("  {}", sentence.ja);
            println!("      {}", sentence.about_ja);
            println!("      {}", style(sentence.example_ja).dim());
        }
        println!();
    }
    Exit::Held
}

fn heading(keyword: Keyword) -> &'static str {
    match keyword {
        Keyword::Given => "Given / 前提",
        Keyword::When => "When / もし",
        Keyword::Then => "Then / ならば",
    }
}
