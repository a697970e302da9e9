//! A listener that Envoy reads from a file, and reads again when the file is moved into place.
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::process::fresh_file;
use crate::{Envoy, Setup, wait};

/// The file, in a folder of its own that Envoy watches.
pub(crate) struct ListenerFile {
    folder: PathBuf,
}

impl ListenerFile {
    pub fn new(listener: &Value) -> Self {
        let folder = fresh_file("listener", "d");
        fs::create_dir_all(&folder).expect("a folder for the listener");
        let file = Self { folder };
        file.put(listener);
        file
    }

    /// Where Envoy finds it, as in Envoy's configuration.
    pub fn source(&self) -> Value {
        json!({
            "path_config_source": {"path": self.path(), "watched_directory": {"path": self.folder}},
            "resource_api_version": "V3",
        })
    }

    /// Envoy acts on moves, not on writes: it never sees half a file.
    fn put(&self, listener: &Value) {
        let mut resource = listener.clone();
        resource["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
        let text = json!({"resources": [resource]}).to_string();
        let draft = self.folder.join("draft.json");
        fs::write(&draft, text).expect("a file for the listener");
        fs::rename(&draft, self.path()).expect("the same folder");
    }

    fn path(&self) -> PathBuf {
        self.folder.join("listener.json")
    }
}

impl Envoy {
    /// Serves with this setup's filters from now on: waits until Envoy has taken the listener, and has let go of the connections to
    /// the one before. Only for an Envoy that was started with [`Setup::listener_from_file`]; port, clusters and variables stay.
    pub fn replace_listener(&self, setup: &Setup) {
        let file = self.listener_file.as_ref().expect("a listener from a file");
        let stat = |name: &str| self.stat(&format!("listener_manager.{name}"));
        let taken = stat("lds.update_success");
        file.put(&setup.listener(self.address()));
        wait::until("Envoy has taken the listener", || {
            assert_eq!(
                stat("lds.update_rejected"),
                0,
                "Envoy refuses the listener\n{}",
                self.log()
            );
            (stat("lds.update_success") > taken).then_some(())
        });
        wait::until("the listener before it is gone", || {
            let on_the_way = [
                "total_listeners_warming",
                "total_listeners_draining",
                "total_filter_chains_draining",
            ];
            on_the_way.iter().all(|name| stat(name) == 0).then_some(())
        });
    }
}
