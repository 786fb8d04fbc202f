import ByteText
import ControlFiles
import Filter

/// Why vcfilter(1) did not do what it was told.
enum VcfilterFailure: Error {
    case usage
    /// An option's value, or a part of the rule that it would make.
    case flaw(FilterFlaw)
    case missing(option: StaticString)
    case unknownDomain([UInt8])
    case reservedName([UInt8])
    case notPermitted(directory: [UInt8])
    case noSuchRule(number: Int, address: [UInt8])
    case alreadyThere(number: Int, address: [UInt8])
    case full(address: [UInt8])
    case control(ControlFailure)
    case store(FilterStoreFailure)

    /// The exit code: 1 the rules are not so, 100 wrong arguments, 111 it cannot be done now.
    var exitCode: Int32 {
        switch self {
        case .noSuchRule, .alreadyThere, .full: 1
        case .usage, .flaw, .missing, .unknownDomain, .reservedName: 100
        case .notPermitted, .control, .store: 111
        }
    }

    /// The words after `vcfilter: fatal: `.
    var text: [UInt8] {
        switch self {
        case .usage: [UInt8]("wrong arguments")
        case .flaw(let flaw): flaw.text
        case .missing(let option): [UInt8]("a new rule needs ") + [UInt8](option)
        case .unknownDomain(let domain):
            [UInt8]("unknown domain ") + domain
                + [UInt8](
                    ": it must be in control/locals, control/virtualdomains or control/rcpthosts")
        case .reservedName(let name):
            name + [UInt8](" has no rules of its own; prefilt and postfilt are for everybody")
        case .notPermitted(let directory):
            [UInt8]("only root or the owner may change ") + directory
        case .noSuchRule(let number, let address):
            address + [UInt8](" has no rule ") + [UInt8](decimal: number)
        case .alreadyThere(let number, let address):
            address + [UInt8](" has this rule already, as number ") + [UInt8](decimal: number)
        case .full(let address): [UInt8]("there is no number left for a rule of ") + address
        case .control(let failure): failure.text
        case .store(let failure): failure.text
        }
    }
}
