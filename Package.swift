// swift-tools-version: 6.3
import PackageDescription

/// One set of flags for every target, each with its reason.
let settings: [SwiftSetting] = [
  // A warning left alone is a warning nobody reads.
  .treatAllWarnings(as: .error),
  // `any P` is spelled out: an existential costs, and should be seen to.
  .enableUpcomingFeature("ExistentialAny"),
  // A module's imports are its own; none leak to those who import it.
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  // Views over bytes that cannot outlive them (`~Escapable`).
  .enableExperimentalFeature("Lifetimes"),
]

/// For what decodes bytes from outside: nothing unsafe may hide there.
let pure: [SwiftSetting] = settings + [.strictMemorySafety()]

let package = Package(
  name: "crossfade",
  products: [
    .executable(name: "crossfade", targets: ["crossfade"]),
    .library(name: "PGOutput", targets: ["PGOutput"]),
    .library(name: "ChangeLog", targets: ["ChangeLog"]),
    .library(name: "Events", targets: ["Events", "Derivation"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
  ],
  targets: [
    .systemLibrary(
      name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
    .systemLibrary(
      name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]),

    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),

    .target(name: "PGOutput", swiftSettings: pure),
    .target(name: "Postgres", dependencies: ["CLibPQ", "PGOutput"], swiftSettings: settings),
    .target(name: "FailPoints", swiftSettings: settings),
    .target(
      name: "ChangeLog",
      dependencies: ["CLZ4", "PGOutput", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: settings),
    .target(
      name: "Capture",
      dependencies: [
        "PGOutput", "Postgres", "ChangeLog", "FailPoints",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .target(
      name: "Derivation",
      dependencies: ["PGOutput", .product(name: "Yams", package: "Yams")],
      swiftSettings: settings),
    .target(
      name: "DualWrite",
      dependencies: [
        "PGOutput", "Postgres", "ChangeLog", "Derivation", "FailPoints",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .target(
      name: "Replay",
      dependencies: [
        "PGOutput", "Postgres", "ChangeLog", "Derivation", "DualWrite", "FailPoints",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .target(
      name: "Events", dependencies: ["PGOutput", "ChangeLog", "Derivation"], swiftSettings: settings),
    .target(
      name: "Subscriptions",
      dependencies: [
        "CZlib", "PGOutput", "ChangeLog", "Derivation", "Events",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HummingbirdTLS", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .target(
      name: "Migration",
      dependencies: [
        "PGOutput", "Postgres", "ChangeLog", "Capture", "Derivation", "DualWrite", "Replay", "FailPoints",
        .product(name: "Logging", package: "swift-log"), .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: settings),
    .target(
      name: "Operations",
      dependencies: ["PGOutput", .product(name: "Logging", package: "swift-log")],
      swiftSettings: settings),
    .target(
      name: "LocalCluster",
      dependencies: ["PGOutput", "Postgres"],
      swiftSettings: settings),
    .executableTarget(
      name: "crossfade",
      dependencies: [
        "PGOutput", "Postgres", "ChangeLog", "Capture", "Derivation", "DualWrite", "Replay", "Migration",
        "Events", "Subscriptions",
        "Operations", "LocalCluster",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: settings),

    .executableTarget(
      name: "crossfade-bench",
      dependencies: [
        "PGOutput", "Postgres", "ChangeLog", "Capture", "Derivation", "Events", "Operations", "LocalCluster",
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Benchmarks/crossfade-bench", swiftSettings: settings),

    .testTarget(name: "PGOutputTests", dependencies: ["PGOutput"], swiftSettings: settings),
    .testTarget(
      name: "PostgresTests", dependencies: ["Postgres", "PGOutput", "LocalCluster"],
      swiftSettings: settings),
    .target(
      name: "SimulatedDisk", dependencies: ["ChangeLog"], path: "Tests/SimulatedDisk",
      swiftSettings: settings),
    .testTarget(
      name: "ChangeLogTests", dependencies: ["ChangeLog", "SimulatedDisk"], swiftSettings: settings),
    .testTarget(
      name: "CaptureTests",
      dependencies: [
        "Capture", "ChangeLog", "PGOutput", "Postgres", "LocalCluster", "SimulatedDisk",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .testTarget(name: "DerivationTests", dependencies: ["Derivation"], swiftSettings: settings),
    .testTarget(
      name: "DualWriteTests",
      dependencies: ["DualWrite", "Derivation", "ChangeLog", "PGOutput", "Postgres", "LocalCluster"],
      swiftSettings: settings),
    .testTarget(
      name: "ReplayTests",
      dependencies: ["Replay", "Derivation", "DualWrite", "ChangeLog", "PGOutput", "Postgres"],
      swiftSettings: settings),
    .testTarget(
      name: "MigrationTests",
      dependencies: [
        "Migration", "Derivation", "DualWrite", "ChangeLog", "PGOutput", "Postgres", "LocalCluster",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "crossfade", "LocalCluster", "Derivation", "Replay", "Migration", "Operations", "Postgres",
        "PGOutput", "ChangeLog", .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "EventsTests", dependencies: ["Events", "ChangeLog", "Derivation", "PGOutput"],
      swiftSettings: settings),
    .testTarget(
      name: "SubscriptionsTests",
      dependencies: [
        "Subscriptions", "Events", "ChangeLog", "Derivation", "PGOutput", "LocalCluster",
        .product(name: "Logging", package: "swift-log"), .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: settings),
    .testTarget(name: "OperationsTests", dependencies: ["Operations"], swiftSettings: settings),
    .executableTarget(
      name: "cluster-child", dependencies: ["LocalCluster"], path: "Tests/ClusterChild",
      swiftSettings: settings),
    .testTarget(
      name: "LocalClusterTests", dependencies: ["LocalCluster", "Postgres", "cluster-child"],
      swiftSettings: settings),
    .testTarget(
      name: "IntegrationTests",
      dependencies: ["crossfade", "LocalCluster", "Postgres", "PGOutput", "ChangeLog"],
      swiftSettings: settings),
    .testTarget(
      name: "ScenarioTests",
      dependencies: [
        "Capture", "ChangeLog", "PGOutput", "Postgres", "LocalCluster",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .testTarget(name: "StyleTests", swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)

// The same fuzz targets twice, never at once: `make fuzz` builds them with libFuzzer, which brings its own main; the
// tests replay their corpora.
package.targets.append(
  Context.environment["CROSSFADE_FUZZ"] == nil
    ? .testTarget(
      name: "FuzzTests", dependencies: ["PGOutput", "ChangeLog", "Capture", "Derivation", "Postgres"],
      path: "Fuzz", exclude: ["Driver"], swiftSettings: settings)
    : .executableTarget(
      name: "crossfade-fuzz", dependencies: ["PGOutput", "ChangeLog", "Capture", "Derivation", "Postgres"],
      path: "Fuzz", exclude: ["Replay"], swiftSettings: settings))
