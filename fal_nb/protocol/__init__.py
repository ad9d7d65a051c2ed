"""fal's wire protocol without the wire: pure functions and frozen data, used by client and simulator alike."""
