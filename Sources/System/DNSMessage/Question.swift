package import ByteText

/// What a record is of; RFC 1035 §3.2.2 and RFC 3596.
package enum RecordType: UInt16, CaseIterable, Sendable {
    case address = 1
    case pointer = 12
    case exchange = 15
    case text = 16
    case wideAddress = 28
}

/// The data of a record.
package enum RecordData: Equatable, Sendable {
    /// Of A or AAAA.
    case address(IPAddress)
    /// Of PTR.
    case name(DomainName)
    /// Of MX.
    case exchange(preference: UInt16, DomainName)
    /// Of TXT, its strings put together.
    case text([UInt8])
}

/// Why a look-up has no records.
package enum LookupFailure: Error, Equatable, Sendable {
    /// There is no such name; RFC 1035 §4.1.1, RCODE 3.
    case noSuchName
    /// The name is there, but no record of this type.
    case noData
    /// No server gave an answer in time, or none would.
    case temporary
    /// The only answers were malformed.
    case malformed

    /// Whether the same question may be answered another time.
    package var isTemporary: Bool {
        switch self {
        case .noSuchName, .noData: false
        case .temporary, .malformed: true
        }
    }
}

/// One question to a name server, and what its answers mean; RFC 1035 §4.
package struct Question: Sendable {
    /// Which name and what of it.
    package let name: DomainName
    package let type: RecordType

    /// A question of the class IN.
    package init(_ name: DomainName, _ type: RecordType) {
        self.name = name
        self.type = type
    }

    /// What a message that came in means for this question.
    package enum Meaning: Equatable, Sendable {
        /// It is not the answer to this question.
        case nothing
        /// It has a part of the answer only.
        case truncated
        /// This server cannot say.
        case serverFailure
        /// It looks like the answer and is malformed.
        case malformed
        /// There is no record to be had.
        case failure(LookupFailure)
        /// At least one record of the type.
        case records([RecordData])
    }

    /// Read a message.
    package func meaning(of message: [UInt8]) -> Meaning {
        var reader = MessageReader(message)
        guard let header = reader.header(), header.isAnswer, header.isQuery
        else { return .nothing }
        // A server that cannot read the question does not repeat it.
        if header.questions == 0, header.responseCode == 1 { return .serverFailure }
        guard header.questions == 1, reader.name() == name, reader.number() == type.rawValue,
            reader.number() == 1
        else { return .nothing }
        if header.isTruncated { return .truncated }
        switch header.responseCode {
        case 0: return records(header, &reader)
        case 3: return .failure(.noSuchName)
        default: return .serverFailure
        }
    }

    /// The records of the name, or of the name that it is an alias of, RFC 1034 §3.6.2.
    private func records(_ header: MessageReader.Header, _ reader: inout MessageReader) -> Meaning {
        // A server that does not recurse and only knows who would know.
        if header.answers == 0, header.authorities > 0, !header.isAuthoritative,
            !header.canRecurse, header.additional > 0
        {
            return .serverFailure
        }
        var owner = name
        var records: [RecordData] = []
        for _ in 0..<header.answers {
            guard let record = reader.record() else { return .malformed }
            // Servers give aliases in the order in which they are followed.
            guard record.isInternet, record.owner == owner else { continue }
            if record.type == MessageReader.alias {
                guard let target = reader.name(in: record) else { return .malformed }
                owner = target
            } else if record.type == type.rawValue {
                guard let data = reader.data(of: record, type) else { return .malformed }
                records.append(data)
            }
        }
        return records.isEmpty ? .failure(.noData) : .records(records)
    }
}
