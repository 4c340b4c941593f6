"""Who answers on this side of a conversation. The interface is connection.Responder."""
