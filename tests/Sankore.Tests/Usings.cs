global using Sankore.Tests.Support;
global using Shouldly;
global using Xunit;
