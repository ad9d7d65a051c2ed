from tests.schemas.conftest import schema_of, simulated

__all__ = ["schema_of", "simulated"]
