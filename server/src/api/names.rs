//! Names shared within one batch: a thousand tasks of one kind hold one text.

use mainstay_core::Text;

/// Names seen lately. A batch has few different ones; what is not among them is made anew.
#[derive(Debug, Default)]
pub(crate) struct Names {
    seen: Vec<Text>,
}

const SEEN_MAX: usize = 16;

impl Names {
    /// The shared text of this name.
    pub(crate) fn share(&mut self, name: &str) -> Text {
        if let Some(text) = self.seen.iter().find(|text| ***text == *name) {
            return text.clone();
        }
        let text = Text::from(name);
        if self.seen.len() == SEEN_MAX {
            self.seen.swap_remove(0);
        }
        self.seen.push(text.clone());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn the_same_name_is_the_same_text() {
        let mut names = Names::default();
        let first = names.share("mail");
        assert!(std::ptr::eq(&*first, &*names.share("mail")));
        for index in 0..100 {
            assert_eq!(
                &*names.share(&format!("kind{index}")),
                format!("kind{index}")
            );
        }
    }
}
