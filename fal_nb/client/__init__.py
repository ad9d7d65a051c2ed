"""The async client and its parts: transport, queue, direct calls, streams, storage."""
