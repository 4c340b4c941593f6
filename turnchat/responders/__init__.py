"""Those who answer on this side of a conversation, each a responder.Responder."""
