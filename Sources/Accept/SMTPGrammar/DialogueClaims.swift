import ByteText

// XCLIENT, from a trusted proxy only.
extension Dialogue {
    /// The line of EHLO, when XCLIENT can be used.
    var claimsExtension: [[UInt8]] {
        settings.believesClaims
            ? [[UInt8]("XCLIENT ") + [UInt8](ClientClaims.attributes)] : []
    }

    mutating func claim(_ argument: [UInt8]) throws(Reply) -> Event {
        if !settings.believesClaims {
            throw Reply(550, "5.7.0", "you are not trusted to speak for other clients")
        }
        if hasSender { throw .outOfOrder("not within a mail transaction") }
        let claims = try ClientClaims(argument)
        reset()
        clientName = claims.helo.value ?? []
        isExtended = claims.isExtended.value ?? false
        user = claims.login.value ?? []
        if claims.address != .unsaid, claims.address.value?.isLoopback != true {
            settings.allowsOpenLogin = false
        }
        return .client(claims)
    }
}
