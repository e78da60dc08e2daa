namespace Sankore.Platform;

/// <summary>What every module stands on. Its services are the server's own (SankoreApp).</summary>
public sealed class PlatformModule : SankoreModule;
