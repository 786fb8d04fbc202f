/// How a session begins.
package enum SessionOpening: Sendable {
    /// With the greeting, as the client has just connected.
    case greeting
    /// With the client's first command under TLS; it has been greeted in clear text.
    case afterHandshake
    /// With the refusal of STARTTLS, after which the session goes on in clear text.
    case refusedTLS(TLSRequest)
}
